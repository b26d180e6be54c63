// The plugin resized tells a project that one of its volumes has another size, and
// since when it had the one before, if that was within a day.
import { Event, JsonObject, Kind, Value, project, register, want } from "../hr";
export { hr_abi_1, hr_init, hr_event } from "../hr";

const VOLUME = want("/payload/volume_id");
const NAME = want("/payload/display_name");
const SIZE = want("/payload/size");

/** From how many gigabytes on anybody is told. */
let least: i64 = 0;

register(["volume.resize.end"], handle, (config: Value): string | null => {
  const v = config.member("least");
  least = v.int(v.kind == Kind.Absent ? 0 : -1);
  return least >= 0 ? null : "config least: a number of gigabytes, 0 or more";
});

function handle(e: Event): void {
  const volume = e.get(VOLUME).text(), size = e.get(SIZE);
  if (!size.isInt || size.int() < least) return;
  const before = e.kvGet(volume);
  e.kvSet(volume, e.time, 24 * 60 * 60);

  const m = new JsonObject();
  m.string("volume", volume);
  m.value("name", e.get(NAME));
  m.value("gigabytes", size);
  if (before !== null) m.string("before", before.text);
  e.emit(project(e.project, "sizes"), volume, m);
}
