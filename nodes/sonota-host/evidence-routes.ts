/** The jobs of a host, and each one's evidence for a bug report. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { bundleOf } from '../../lib/flash/job/evidence-bundle';
import { notPossible, refuse } from '../shared/admin-answers';
import type { HostNode } from '../shared/hosts';

const PATH = '/sonota/host/:id/jobs';

export function addEvidenceRoutes(RED: NodeAPI): void {
  const mayRead = RED.auth.needsPermission('sonota.read') as RequestHandler;
  RED.httpAdmin.get(PATH, mayRead, (request: Request, response: Response) => {
    const jobs = hostOf(RED, request)?.flashHost.jobs.all();
    if (!jobs) return refuse(RED, request, response, notPossible('host-gone'), 404);
    response.json(jobs.map((job) => ({ id: job.id, ...job.snapshot() })));
  });
  RED.httpAdmin.get(`${PATH}/:job/evidence`, mayRead, (request: Request, response: Response) => {
    sendBundle(RED, request, response);
  });
}

function sendBundle(RED: NodeAPI, request: Request, response: Response): void {
  const host = hostOf(RED, request);
  const job = host?.flashHost.jobs.byId(String(request.params['job']));
  if (!host || !job) return refuse(RED, request, response, notPossible('flash-gone'), 404);
  const { ssid, password } = host.wifi;
  const bundle = bundleOf(job, { versions: versions(RED), secrets: [ssid, password] });
  const name = `sonota-${job.deviceid?.slice(-4) ?? 'unknown'}-${job.startedAt.toISOString().slice(0, 10)}.jsonl`;
  response.set({
    'Content-Type': 'application/x-ndjson; charset=utf-8',
    'Content-Disposition': `attachment; filename="${name.replace(/[^\w.-]/g, '_')}"`,
    'Cache-Control': 'no-store',
  });
  response.send(bundle);
}

function hostOf(RED: NodeAPI, request: Request): HostNode | undefined {
  const node = RED.nodes.getNode(String(request.params['id'])) as HostNode | null;
  return node?.type === 'sonota-host' ? node : undefined;
}

function versions(RED: NodeAPI): Record<string, string> {
  const { version = 'unknown' } = RED.settings as { version?: string };
  const own = JSON.parse(readFileSync(join(__dirname, '..', '..', '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  return {
    '@sonota/node-red': own.version,
    'node-red': version,
    node: process.version,
    openssl: process.versions.openssl,
    system: `${process.platform} ${process.arch}`,
  };
}
