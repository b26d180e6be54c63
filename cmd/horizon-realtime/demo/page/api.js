// The demo's own server: what Horizon's backend would be asked for.

/** call sends a request and returns its answer; a refusal is an Error whose
 *  message is the server's sentence. */
export async function call(path, body) {
  const response = await fetch(`/demo/api/${path}`, body === undefined ? { cache: 'no-store' } : {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `the server answered ${response.status}`);
  return answer;
}
