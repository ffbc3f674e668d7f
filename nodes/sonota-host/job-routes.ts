/** The overview of all hosts for the sidebar, and a person's actions on a job there. */

import type { Request, RequestHandler, Response } from 'express';
import type { Node, NodeAPI } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import { overviewOfHost } from '../../lib/flash/overview/host-overview';
import { OverviewJournal, type ShownHost } from '../../lib/flash/overview/overview-changes';
import type { FlashHost } from '../../lib/flash/host/host';
import type { Job } from '../../lib/flash/job/job';
import type { FlashQueue } from '../../lib/flash/queue/flash-queue';
import { notPossible, refuse } from '../shared/admin-answers';
import { hosts } from '../shared/hosts';
import { startNextStep } from './next-step';

const JOB = '/sonota/host/:id/jobs/:job';
const QUEUE = '/sonota/host/:id/queue/:deed';

export function addJobRoutes(RED: NodeAPI): void {
  const mayRead = RED.auth.needsPermission('sonota.read') as RequestHandler;
  const mayWrite = RED.auth.needsPermission('sonota.write') as RequestHandler;
  const journal = new OverviewJournal();
  RED.httpAdmin.get('/sonota/overview', mayRead, (request: Request, response: Response) => {
    const { since } = request.query;
    const changes = journal.since(typeof since === 'string' ? since : undefined, shownHosts(RED));
    response.set('Cache-Control', 'no-store').json(changes);
  });
  RED.httpAdmin.post(`${JOB}/retry`, mayWrite, (request: Request, response: Response) => {
    withJob(RED, request, response, ({ runs }, job) => {
      const failure = runs.failures.of(job.id);
      const node = failure && (RED.nodes.getNode(failure.nodeId) as Node | null);
      if (!failure || !node || job.stage !== 'failed') throw notPossible('retry-message-gone');
      const { deviceid } = job;
      const known = deviceid === undefined ? {} : { deviceid };
      // A node of the whole flash would start from the beginning.
      const stage = node.type === 'sonota-flash' ? { stage: failure.stage } : {};
      node.receive({ ...failure.message, ...known, ...stage });
      response.status(204).end();
    });
  });
  RED.httpAdmin.post(`${JOB}/cancel`, mayWrite, (request: Request, response: Response) => {
    withJob(RED, request, response, ({ nextSteps }, job) => {
      if (job.running) job.running.abort(new FlashError('cancelled'));
      else if (!nextSteps.cancel(job.id)) throw notPossible('flash-resting');
      response.status(204).end();
    });
  });
  RED.httpAdmin.post(`${JOB}/next-step`, mayWrite, (request: Request, response: Response) => {
    withJob(RED, request, response, (host, job) => {
      startNextStep(RED, String(request.params['id']), host, job);
      response.status(204).end();
    });
  });
  RED.httpAdmin.delete(JOB, mayWrite, (request: Request, response: Response) => {
    withJob(RED, request, response, ({ jobs, runs, nextSteps }, job) => {
      if (!jobs.forget(job)) throw notPossible('flash-running');
      nextSteps.cancel(job.id);
      runs.failures.forget(job.id);
      response.status(204).end();
    });
  });
  RED.httpAdmin.post(QUEUE, mayWrite, (request: Request, response: Response) => {
    const host = hostOf(request);
    const deed = String(request.params['deed']);
    if (!host) return refuse(RED, request, response, notPossible('host-gone'), 404);
    if (!Object.hasOwn(DEEDS, deed)) return refuse(RED, request, response, notPossible('queue-action-unknown'), 404);
    const { entry } = request.query;
    DEEDS[deed as keyof typeof DEEDS](host.queue, typeof entry === 'string' ? entry : undefined);
    response.status(204).end();
  });
}

/** A person's actions on the queue, or on one entry of it. */
const DEEDS = {
  pause: (queue: FlashQueue) => queue.pause(),
  resume: (queue: FlashQueue) => queue.resume(),
  retry: (queue: FlashQueue) => queue.retryFailed(),
  forget: (queue: FlashQueue, entry?: string) => queue.forget(entry),
  skip: (queue: FlashQueue, entry?: string) => {
    if (entry !== undefined) queue.skip(entry);
  },
};

/** The hosts with what their config nodes call them. */
function shownHosts(RED: NodeAPI): ShownHost[] {
  return hosts.all().map(([id, host]) => {
    const { name = '' } = (RED.nodes.getNode(id) as Node | null) ?? {};
    return { id, name, ...overviewOfHost(host) };
  });
}

/** Whatever `act` throws is the answer: with 409 where the flash is no longer as the editor shows it. */
function withJob(RED: NodeAPI, request: Request, response: Response, act: (host: FlashHost, job: Job) => void): void {
  const host = hostOf(request);
  const job = host?.jobs.byId(String(request.params['job']));
  if (!host || !job) return refuse(RED, request, response, notPossible('flash-gone'), 404);
  try {
    act(host, job);
  } catch (thrown) {
    const { code } = asFlashError(thrown);
    refuse(RED, request, response, thrown, code === 'not-possible' ? 409 : 422);
  }
}

function hostOf(request: Request): FlashHost | undefined {
  return hosts.all().find(([id]) => id === request.params['id'])?.[1];
}
