/** The routes for the form of a host. */

import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { preflight, type SaidReport } from '../../lib/preflight/preflight';
import { localIPv4 } from '../../lib/net/addresses';
import { homeNetworkIn } from '../../lib/flash/host/home-memory';
import { refuse } from '../shared/admin-answers';
import { speakerFor } from '../shared/asked-language';
import { hosts, requireHost, wifiPresence, type HostNode } from '../shared/hosts';
import { ownFolder } from '../shared/library';
import { unlocksLocally } from '../shared/local-unlock';
import { MessageValues } from '../shared/messages';
import { checkForm } from './check-form';
import { translatePreflight } from '../shared/translate';
import { offeredAddresses, type OfferedAddress } from './offered-addresses';

const PATH = '/sonota/host/:id/preflight';

/** "Check now": the table of `sonota-preflight` for a host as its form has it, without a firmware. */
export function addHostRoutes(RED: NodeAPI): void {
  const mayRead = RED.auth.needsPermission('sonota.read') as RequestHandler;
  // It opens the ports of the host and dials out.
  const mayWrite = RED.auth.needsPermission('sonota.write') as RequestHandler;
  const answer: RequestHandler = (request, response) => {
    check(RED, request, response).catch((thrown: unknown) => refuse(RED, request, response, thrown));
  };
  RED.httpAdmin.post(PATH, mayWrite, answer);
  RED.httpAdmin.get('/sonota/addresses', mayRead, (request: Request, response: Response) => {
    addressesToChoose(RED).then(
      (addresses) => void response.set('Cache-Control', 'no-store').json(addresses),
      (thrown: unknown) => refuse(RED, request, response, thrown, 500),
    );
  });
}

/** This machine's addresses that a device could dial at home, first the one that devices get. */
async function addressesToChoose(RED: NodeAPI): Promise<OfferedAddress[]> {
  const network = homeNetworkIn(ownFolder(RED), (text) => RED.log.warn(text));
  const told = await network.update();
  return offeredAddresses(localIPv4(), told, network.choice);
}

/** The content of the form comes in the body; without one the host is checked as it is deployed. */
async function check(RED: NodeAPI, request: Request, response: Response): Promise<void> {
  const id = String(request.params['id']);
  const found = RED.nodes.getNode(id) as HostNode | null;
  const node = found?.type === 'sonota-host' ? found : undefined;
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const fields = fieldsOf(request);
  const report = fields
    ? await checkForm(RED, fields, node, gone.signal)
    : await checkWhileListening(RED, node, gone.signal);
  if (!gone.signal.aborted) response.json(translatePreflight(speakerFor(RED, request), report));
}

function fieldsOf(request: Request): Record<string, unknown> | undefined {
  const body: unknown = request.body;
  const isGiven = typeof body === 'object' && body !== null && Object.keys(body).length > 0;
  return isGiven ? (body as Record<string, unknown>) : undefined;
}

/** The host need not listen otherwise: it does for the time of the checks. */
async function checkWhileListening(RED: NodeAPI, node: HostNode | undefined, signal: AbortSignal): Promise<SaidReport> {
  const host = requireHost(node);
  const { id, flashHost } = host;
  return hosts.whileListening(id, () => {
    const wifi = wifiPresence(host, new MessageValues({}));
    const options = { wifi, mentionsFirmware: true, unlocksLocally: unlocksLocally(RED, id), signal };
    return preflight(flashHost, options);
  });
}
