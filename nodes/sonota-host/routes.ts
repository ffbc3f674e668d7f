/** What the form of a host asks the runtime for. */

import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { asFlashError } from '../../lib/errors';
import { preflight, type PreflightReport } from '../../lib/flash/preflight/preflight';
import { hosts, type HostNode } from '../shared/hosts';

const PATH = '/sonota/host/:id/preflight';

/** "Check now": the table of `sonota-preflight` for a host as it is deployed, without a firmware. */
export function addHostRoutes(RED: NodeAPI): void {
  const mayRead = RED.auth.needsPermission('sonota.read') as RequestHandler;
  const answer: RequestHandler = (request, response) => {
    check(RED, request, response).catch((thrown: unknown) => {
      const { code, message } = asFlashError(thrown);
      if (!response.headersSent) response.status(422).json({ code, message });
    });
  };
  RED.httpAdmin.get(PATH, mayRead, answer);
  RED.httpAdmin.post(PATH, mayRead, answer);
}

/** A host that is not deployed is no error: the form shows it as a sentence. */
async function check(RED: NodeAPI, request: Request, response: Response): Promise<void> {
  const id = String(request.params['id']);
  const node = RED.nodes.getNode(id) as HostNode | null;
  if (node?.type !== 'sonota-host') return void response.json({ deployed: false });
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const report = await checkAsUser(node, gone.signal);
  if (!gone.signal.aborted) response.json({ deployed: true, ...report });
}

/** A host listens while it has a user: for the time of the checks, they are one. */
async function checkAsUser({ id, flashHost, wifi }: HostNode, signal: AbortSignal): Promise<PreflightReport> {
  const user = `check-now ${randomUUID()}`;
  hosts.addUser(id, user);
  try {
    const known = { ssid: wifi.ssid !== undefined, password: wifi.password !== undefined };
    return await preflight(flashHost, { wifi: known, signal });
  } finally {
    await hosts.removeUser(id, user, true);
  }
}
