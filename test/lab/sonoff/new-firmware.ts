import * as http from 'node:http';
import { radio, report } from './report';

const VERSION = '14.1.0';

/**
 * A Tasmota that is not set up: an open access point with its page on port 80, in which it answers commands
 * (xdrv_01_webserver.ino). Resolves when its page was looked at and its network settings were asked for.
 */
export async function newFirmware(mac: string, port = 80, host = '192.168.4.1'): Promise<void> {
  await radio('tasmota');
  const asked = new Set<string>();
  await new Promise<void>((resolve, reject) => {
    const server = http.createServer(({ url = '' }, response) => {
      response.setHeader('Server', `Tasmota/${VERSION} (ESP8266EX)`);
      const isStatus = url === '/cm?cmnd=Status%205';
      if (url !== '/' && !isStatus) return void response.writeHead(404).end();
      response.end(
        isStatus ? JSON.stringify({ StatusNET: { Mac: mac } }) : '<title>Tasmota - WiFi configuration</title>',
      );
      response.on('finish', () => {
        asked.add(url);
        if (asked.size < 2) return;
        report('new-firmware-seen');
        server.close(() => resolve());
        server.closeAllConnections();
      });
    });
    server.once('error', reject);
    server.listen(port, host, () =>
      report('new-firmware-up', { url: `http://${host}${port === 80 ? '' : `:${port}`}` }),
    );
  });
}
