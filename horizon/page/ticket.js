// Asks Horizon's backend for a ticket, which it gets from the router for the
// session's user. The Keystone token stays there.

import { UnauthorizedError } from '../js/realtime.js';

// Answers after which asking again is no use: logged out, refused, switched off.
const FINAL = [401, 403, 404];
// Horizon's side waits for the router REALTIME_TIMEOUT at most, and draws at once.
const ANSWER_MS = 10_000;

/**
 * fetchTicket asks for one.
 *
 * @param {Window} window
 * @returns {Promise<{ticket: string, expires_in: number, channels: string[],
 *   position: {epoch: string, offset: number}, project: string, user: string,
 *   url: string, mode: string, toasts: boolean, language: string}>}
 * @throws {UnauthorizedError} where asking again is no use
 */
export async function fetchTicket(window) {
  const response = await post(window, 'ticket', {});
  if (FINAL.includes(response.status)) throw new UnauthorizedError(`no ticket: ${response.status}`);
  if (!response.ok) throw new Error(`no ticket: ${response.status}`);
  return response.json();
}

/** post asks a view of the plugin's, as Horizon's own pages ask its API; it rejects where no answer comes in time. */
export function post(window, view, body) {
  return window.fetch(`${window.WEBROOT ?? '/'}api/realtime/${view}/`, {
    method: 'POST',
    credentials: 'same-origin',
    headers: {
      'Content-Type': 'application/json',
      'X-Requested-With': 'XMLHttpRequest',
      'X-CSRFToken': csrfToken(window.document),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
}

// A form's token, or the cookie's where the page has no form and the operator
// has left the cookie readable.
function csrfToken(document) {
  const field = document.querySelector('input[name="csrfmiddlewaretoken"]');
  if (field) return field.value;
  return document.cookie.match(/(?:^|;\s*)csrftoken=([^;]*)/)?.[1] ?? '';
}
