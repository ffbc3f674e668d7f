import type { NodeAPI } from 'node-red';

/** Where a person reaches the editor; a pipe has no port. */
export function editorPortOf(RED: NodeAPI): number {
  const { uiPort } = RED.settings as { uiPort?: number | string };
  return Number(uiPort) || 1880;
}
