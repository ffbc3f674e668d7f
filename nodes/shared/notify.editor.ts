/*
 * What the editor shows beside a form. Node-RED takes a string for HTML, so texts go in as text here and nowhere else: a
 * lint rule holds it.
 */

/** Shows a text of any origin: a server's status line, a device, a file. */
function sonotaNotify(text: string, type: 'error' | 'success' | 'warning'): void {
  RED.notify($('<p>').text(text), type);
}

/** An answer that a person may give. */
interface SonotaAnswer {
  text: string;
  /** The one that is meant in most cases. */
  isPrimary?: boolean;
  act?: () => void;
}

/** A notice that stays until it is closed or answered; `close` closes it. */
interface SonotaNotice {
  close(): void;
}

/** Shows a notice with what a person may answer; each answer closes it. */
function sonotaAsk(content: JQuery, type: 'error' | 'warning' | undefined, answers: SonotaAnswer[]): SonotaNotice {
  const buttons = answers.map(({ text, isPrimary, act }) => ({
    text,
    class: isPrimary ? 'primary' : 'sonota-answer',
    click: () => {
      notice.close();
      act?.();
    },
  }));
  const options = { type, fixed: true, modal: false, buttons };
  content.addClass('sonota-notice');
  const notice = RED.notify(content, options as unknown as Parameters<typeof RED.notify>[1]) as unknown as SonotaNotice;
  return notice;
}
