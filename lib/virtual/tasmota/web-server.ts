import type http from 'node:http';
import type { Answer } from './answer';
import { execute } from './commands';
import type { TasmotaMachine } from './machine';
import { tasmotaPage } from './pages';
import { isApiOpen } from './settings';

const USER = 'admin';
/** The longest command that every version takes (INPUT_BUFFER_SIZE; newer ones take 1200). */
const LONGEST_COMMAND = 520;

type Request = http.IncomingMessage;
type Response = http.ServerResponse;

/** Answers as Tasmota's web server does (source: xdrv_01_9_webserver.ino). */
export function serveTasmota(machine: TasmotaMachine): http.RequestListener {
  return (request, response) => {
    response.setHeader('Server', `Tasmota/${machine.version}(virtual) (ESP8266EX)`);
    response.setHeader('Connection', 'close');
    const url = new URL(request.url ?? '/', 'http://device');
    if (isForElsewhere(machine, request)) return redirectHere(request, response);
    if (url.pathname === '/cm') return command(machine, request, response, url.searchParams);
    if (url.pathname === '/') return page(machine, request, response);
    send(response, 404, 'text/plain', `File Not Found\n\nURI: ${url.pathname}\n`);
  };
}

function command(machine: TasmotaMachine, request: Request, response: Response, query: URLSearchParams): void {
  if (isRefererDenied(machine, request)) return leaveUnanswered(machine, request);
  const { webPassword } = machine.settings;
  const isKnown = query.get('user') === USER && query.get('password') === webPassword;
  if (webPassword !== '' && !isKnown && !hasBasicPassword(request, webPassword)) {
    return sendJson(response, 401, { WARNING: 'Need user=<username>&password=<password>' });
  }
  const line = query.get('cmnd') ?? '';
  if (line === '' || line.length >= LONGEST_COMMAND) return sendJson(response, 200, { WARNING: 'Enter command cmnd=' });
  machine.device.log(`Tasmota: ${line.trim().split(/[\s]/, 1)[0]}`);
  sendJson(response, 200, execute(machine, line));
}

function page(machine: TasmotaMachine, request: Request, response: Response): void {
  const { webPassword } = machine.settings;
  if (!machine.isInManagerMode && webPassword !== '' && !hasBasicPassword(request, webPassword)) {
    response.setHeader('WWW-Authenticate', 'Basic realm="Login Required"');
    return send(response, 401, 'text/html', '');
  }
  send(response, 200, 'text/html', tasmotaPage(machine));
}

/** In its access point it answers for every name there is, and leads each to itself. */
function isForElsewhere(machine: TasmotaMachine, request: Request): boolean {
  return machine.isInManagerMode && !/^[\d.]+(:\d+)?$/.test(request.headers.host ?? '');
}

function redirectHere({ socket }: Request, response: Response): void {
  response.setHeader('Location', `http://${socket.localAddress ?? ''}:${socket.localPort ?? 80}`);
  send(response, 302, 'text/plain', '');
}

/** At home, while SetOption128 is off, only what comes from its own pages may command it. */
function isRefererDenied({ isInManagerMode, settings, hostname, address }: TasmotaMachine, request: Request): boolean {
  if (isApiOpen(settings) || isInManagerMode) return false;
  const behindScheme = (request.headers.referer ?? '').toUpperCase().slice('http://'.length);
  return !behindScheme.startsWith(hostname.toUpperCase()) && !behindScheme.startsWith(address);
}

/** A request that is denied gets no answer at all; the server drops the connection after a while. */
function leaveUnanswered({ device }: TasmotaMachine, { socket }: Request): void {
  device.log('Tasmota: a command without its own Referer is denied');
  setTimeout(() => socket.destroy(), device.timings.tasmotaDropsAfter).unref();
}

function hasBasicPassword({ headers }: Request, password: string): boolean {
  const given = Buffer.from(headers.authorization?.replace(/^Basic /i, '') ?? '', 'base64').toString('utf8');
  return given === `${USER}:${password}`;
}

function sendJson(response: Response, status: number, answer: Answer): void {
  send(response, status, 'application/json', JSON.stringify(answer));
}

function send(response: Response, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-cache, no-store, must-revalidate' });
  response.end(body);
}
