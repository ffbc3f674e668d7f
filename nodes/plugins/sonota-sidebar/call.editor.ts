/*
 * Calls a person who has left the page when a flash needs a hand: by a notification of the desktop where the browser may
 * show one, else by the title of the page.
 */

const SONOTA_BLINK_MS = 1000;

/** The last call for each job. */
const sonotaCalledFor = new Map<string, string>();
let sonotaBlinking: ReturnType<typeof setInterval> | undefined;

function sonotaCallPerson(jobs: SonotaJob[]): void {
  for (const { id, isHandNeeded, says } of jobs) {
    const wanted = isHandNeeded && says ? says.name : '';
    const isNew = wanted !== '' && sonotaCalledFor.get(id) !== wanted;
    sonotaCalledFor.set(id, wanted);
    if (isNew && says && document.hidden) sonotaCall(sonotaAnnounced(says));
  }
}

function sonotaCall(text: string): void {
  if (window.isSecureContext && 'Notification' in window && Notification.permission === 'granted') {
    const notification = new Notification(sonotaSidebarText('name'), { body: text, tag: 'sonota' });
    notification.onclick = () => window.focus();
    return;
  }
  if (sonotaBlinking !== undefined) return;
  const title = document.title;
  let isOn = false;
  sonotaBlinking = setInterval(() => {
    isOn = !isOn;
    document.title = isOn ? `● ${text}` : title;
  }, SONOTA_BLINK_MS);
  const end = (): void => {
    if (document.hidden) return;
    clearInterval(sonotaBlinking);
    sonotaBlinking = undefined;
    document.title = title;
    document.removeEventListener('visibilitychange', end);
  };
  document.addEventListener('visibilitychange', end);
}

/** Offers to notify on the desktop, where the browser would but has not been asked. */
function sonotaOfferCall(): JQuery {
  const button = $('<button type="button" class="red-ui-button red-ui-button-small sonota-board-call"></button>');
  const isPossible = window.isSecureContext && 'Notification' in window && Notification.permission === 'default';
  button.text(sonotaSidebarText('button.call')).toggle(isPossible);
  button.on('click', () => {
    void Notification.requestPermission().then(() => button.hide());
  });
  return button;
}
