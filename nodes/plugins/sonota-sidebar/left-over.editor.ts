/*
 * A wait for a device that was started earlier and continues behind a deploy, a restart or in an editor that was closed:
 * the next device to open its network would be flashed. It does not continue unseen.
 */

/** The waits that were notified already. */
const sonotaToldWaits = new Set<string>();

/** Notifies once of each wait that no tab of the sidebar shows. */
function sonotaTellOfWaits(): void {
  // A user without permission to see the flashes sees no notification.
  void sonotaRequest({ url: 'sonota/overview', dataType: 'json', cache: false }).done(({ hosts }: SonotaChanges) => {
    for (const { id: host, jobs } of hosts)
      for (const job of jobs) if (sonotaIsOpenWait(job)) sonotaTellOfWait(host, job);
  });
}

function sonotaIsOpenWait({ id, stage, deviceid, canCancel }: SonotaJob): boolean {
  return stage === 'provision' && deviceid === null && canCancel && !sonotaToldWaits.has(id);
}

function sonotaTellOfWait(host: string, { id, startedAt }: SonotaJob): void {
  sonotaToldWaits.add(id);
  const text = sonotaSidebarText('leftOver.text', { time: sonotaTime(startedAt) });
  const url = `sonota/host/${encodeURIComponent(host)}/jobs/${encodeURIComponent(id)}/cancel`;
  sonotaAsk($('<p>').text(text), 'warning', [
    { text: sonotaSidebarText('leftOver.cancel'), act: () => void sonotaRequest({ url, method: 'POST' }) },
    { text: sonotaSidebarText('leftOver.show'), isPrimary: true, act: () => RED.sidebar.show(SONOTA_SIDEBAR_ID) },
  ]);
}
