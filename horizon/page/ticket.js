// Asks Horizon's backend for a ticket. The backend gets it from the router for the
// session's user; the Keystone token never leaves the backend.

import { UnauthorizedError } from '../js/realtime.js';

// Statuses after which asking again is no use: logged out, refused, switched off.
const FINAL = [401, 403, 404];
// Horizon's backend waits at most REALTIME_TIMEOUT for the router.
const ANSWER_MS = 10_000;

/**
 * fetchTicket asks for a ticket.
 *
 * @param {Window} window
 * @returns {Promise<{ticket: string, expires_in: number, channels: string[],
 *   position: {epoch: string, offset: number}, project: string, user: string,
 *   url: string, mode: string, toasts: boolean, language: string}>}
 * @throws {UnauthorizedError} if asking again is no use
 */
export async function fetchTicket(window) {
  const response = await post(window, 'ticket', {});
  if (FINAL.includes(response.status)) throw new UnauthorizedError(`no ticket: ${response.status}`);
  if (!response.ok) throw new Error(`no ticket: ${response.status}`);
  return response.json();
}

/** post calls one of the plugin's views, as Horizon's pages call its API; it rejects if no answer comes in time. */
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

// The token of a form, or the cookie's if the page has no form and the operator
// left the cookie readable.
function csrfToken(document) {
  const field = document.querySelector('input[name="csrfmiddlewaretoken"]');
  if (field) return field.value;
  return document.cookie.match(/(?:^|;\s*)csrftoken=([^;]*)/)?.[1] ?? '';
}
