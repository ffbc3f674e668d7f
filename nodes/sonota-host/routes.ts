/** What the form of a host asks the runtime for. */

import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { asFlashError } from '../../lib/errors';
import { preflight, type SaidReport } from '../../lib/flash/preflight/preflight';
import { localIPv4, routedAddress } from '../../lib/net/addresses';
import { isContainerInterface } from '../../lib/net/container';
import { canBeHome } from '../../lib/net/home-address';
import { hosts, requireHost, wifiPresence, type HostNode } from '../shared/hosts';
import { MessageValues } from '../shared/messages';
import { translateError, translatePreflight } from '../shared/translate';

const PATH = '/sonota/host/:id/preflight';

/** "Check now": the table of `sonota-preflight` for a host as it is deployed, without a firmware. */
export function addHostRoutes(RED: NodeAPI): void {
  const mayRead = RED.auth.needsPermission('sonota.read') as RequestHandler;
  const answer: RequestHandler = (request, response) => {
    check(RED, request, response).catch((thrown: unknown) => {
      const { code, message } = translateError(RED, asFlashError(thrown));
      if (!response.headersSent) response.status(422).json({ code, message });
    });
  };
  RED.httpAdmin.get(PATH, mayRead, answer);
  RED.httpAdmin.post(PATH, mayRead, answer);
  RED.httpAdmin.get('/sonota/addresses', mayRead, (_request: Request, response: Response) => {
    addressesToChoose().then(
      (addresses) => void response.set('Cache-Control', 'no-store').json(addresses),
      (thrown: unknown) => void response.status(500).json({ message: asFlashError(thrown).message }),
    );
  });
}

/** This machine's addresses that a device could dial at home, the likely one first, with what speaks for or against it. */
async function addressesToChoose(): Promise<{ name: string; address: string; hint?: 'routed' | 'container' }[]> {
  const routed = await routedAddress();
  const found = localIPv4().filter(({ address }) => canBeHome(address));
  const hinted = found.map(({ name, address }) => {
    if (address === routed) return { name, address, hint: 'routed' as const };
    return isContainerInterface(name) ? { name, address, hint: 'container' as const } : { name, address };
  });
  return hinted.sort((one, other) => Number(other.hint === 'routed') - Number(one.hint === 'routed'));
}

/** A host that is not deployed is no error: the form shows it as a sentence. */
async function check(RED: NodeAPI, request: Request, response: Response): Promise<void> {
  const id = String(request.params['id']);
  const node = RED.nodes.getNode(id) as HostNode | null;
  if (node?.type !== 'sonota-host') return void response.json({ deployed: false });
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const report = await checkAsUser(node, gone.signal);
  if (!gone.signal.aborted) response.json({ deployed: true, ...translatePreflight(RED, report) });
}

/** A host listens while it has a user: for the time of the checks, they are one. */
async function checkAsUser(node: HostNode, signal: AbortSignal): Promise<SaidReport> {
  const { id, flashHost } = requireHost(node);
  const user = `check-now ${randomUUID()}`;
  hosts.addUser(id, user);
  try {
    const wifi = wifiPresence(node, new MessageValues({}));
    return await preflight(flashHost, { wifi, signal });
  } finally {
    await hosts.removeUser(id, user, true);
  }
}
