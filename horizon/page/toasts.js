// Optional: a corner of the page tells what became of the user's own resources, in
// the words of the plugin `toast`.

const TYPES = { success: 'success', error: 'error' };

/**
 * tell shows one message of the topic `toasts`.
 *
 * @param {object} message
 * @param {(type: string, text: string) => void} add shows a toast
 */
export function tell(message, add) {
  const { level, text } = message?.data ?? {};
  if (message?.v !== 1 || typeof text !== 'string' || text === '') return;
  add(TYPES[level] ?? 'info', text);
}
