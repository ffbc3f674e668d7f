/** Presses the buttons of the rehearsal flow and tells how it goes, from what Node-RED tells its editors. */
import { once } from 'node:events';

import WebSocket from 'ws';

const LIMIT_MS = 5 * 60_000;

/** The acts are the tabs of the flow, each with a virtual device, and one of these as its last stage. */
const LAST_STAGES = ['sonota-new-firmware', 'sonota-finalstage-watch'];

/**
 * @param {string} url where the Node-RED is
 * @param {object[]} flow what is deployed there
 * @returns {Promise<string | undefined>} why it failed; nothing where every virtual device has its new firmware
 */
export async function rehearse(url, flow) {
  for (const { id, label } of flow.filter(({ type }) => type === 'tab')) {
    console.log(`\n${label}`);
    const fault = await act(
      url,
      flow.filter(({ z }) => z === id),
    );
    if (fault !== undefined) return fault;
  }
  return undefined;
}

async function act(url, flow) {
  const ofType = (type) => flow.find((node) => node.type === type);
  const button = ofType('inject');
  const device = ofType('sonota-virtual-device');
  const last = LAST_STAGES.map(ofType).find((node) => node !== undefined);
  if (!button || !device || !last) return 'its flow in .rehearsal/ has been changed too much; delete that folder';
  const caught = new Set(flow.filter(({ type }) => type === 'catch').flatMap(({ wires }) => wires.flat()));
  const shown = new Map(flow.filter(({ type }) => type.startsWith('sonota-')).map((node) => [node.id, title(node)]));

  const socket = new WebSocket(`${url.replace('http', 'ws')}/comms`);
  await once(socket, 'open');
  for (const topic of ['status/#', 'debug']) socket.send(JSON.stringify({ subscribe: topic }));

  const done = new Set();
  let isRunning = false;
  const outcome = new Promise((resolve) => {
    const timer = setTimeout(() => resolve(`it took longer than ${LIMIT_MS / 1000} s`), LIMIT_MS);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve('Node-RED went away');
    });
    socket.on('message', (data) => {
      for (const { topic, data: told } of [JSON.parse(data)].flat()) {
        const id = topic?.startsWith('status/') ? topic.slice('status/'.length) : undefined;
        if (isRunning && shown.has(id) && told?.text) console.log(`${shown.get(id)}  ${told.text}`);
        if (isRunning && told?.fill === 'green') done.add(id);
        if (topic === 'debug' && caught.has(told?.id)) resolve(String(told.msg));
        if (done.has(device.id) && done.has(last.id)) resolve(undefined);
      }
    });
  });

  isRunning = true;
  const answer = await fetch(`${url}/inject/${button.id}`, { method: 'POST' });
  const fault = answer.ok ? await outcome : `its Inject node answered ${answer.status}`;
  socket.terminate();
  return fault;
}

/** `sonota-ota-serve` as `ota serve`, all of the same width. */
function title({ type, name }) {
  return (name || type.replace('sonota-', '').replaceAll('-', ' ')).padEnd(20);
}
