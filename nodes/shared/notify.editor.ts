/*
 * What the editor shows beside a form. Node-RED takes a string for HTML, so texts go in as text here and nowhere else: a
 * lint rule holds it.
 */

/** Shows a text, whoever wrote it: a server's status line, a device, a file. */
function sonotaNotify(text: string, type: 'error' | 'success' | 'warning'): void {
  RED.notify($('<p>').text(text), type);
}
