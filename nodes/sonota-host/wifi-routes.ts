/** The Wi-Fi interfaces of this machine, for the list in a host's form. */

import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { wifiInterfaces } from '../../lib/net/wifi/choose';

export function addWifiRoutes(RED: NodeAPI): void {
  const mayRead = RED.auth.needsPermission('sonota.read') as RequestHandler;
  RED.httpAdmin.get('/sonota/wifi/interfaces', mayRead, (_request: Request, response: Response) => {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    // Where nothing can be found out, the list is empty: a name can be typed in all the same.
    wifiInterfaces(gone.signal).then(
      (names) => response.json(names),
      () => response.json([]),
    );
  });
}
