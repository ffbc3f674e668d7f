import { type ApAnswers, apReply, answerSettings, jsonBody, SETTINGS_TAKEN, wifiIn } from '../stock/ap-request';
import type { HomeNetwork } from '../device/radio';
import type { DiyContext } from './context';

/** The settings posted to its access point: Wi-Fi for DIY mode, or for the cloud with its server. */
export type DiyApSettings =
  | { mode: 'diy'; network: HomeNetwork }
  | { mode: 'ewelink'; network: HomeNetwork; cloud: { serverName: string; port: number } };

const PAGE =
  '<!DOCTYPE html><html><head><title>DIY WEB</title></head><body><button id="wifi">WiFi settings</button></body></html>';

/**
 * The web server in its access point (docs/dev/diy-mode.md#1.3, #2.6): the cloud's two requests, and with DIY mode a page
 * and `/ap_diy`.
 */
export function diyApAnswers({ identity, profile, behaviours }: DiyContext): ApAnswers<DiyApSettings> {
  const hasDiyMode = profile.entersBy === 'button' && behaviours.hasDiyMode;
  const { deviceid, apikey, mac } = identity;
  const chip = profile.statesChipId ? { chipid: `00${mac.replace(/:/g, '').slice(-6)}`.toUpperCase() } : {};
  return (text) => {
    if (text.includes('GET /device HTTP/1.1')) {
      return { log: 'told who it is', reply: apReply(JSON.stringify({ deviceid, apikey, accept: 'post', ...chip })) };
    }
    if (text.includes('POST /ap HTTP/1.1')) return forCloud(text);
    if (hasDiyMode && text.includes('GET / HTTP/1.1'))
      return { log: 'showed its page', reply: apReply(PAGE, 'text/html') };
    if (hasDiyMode && text.includes('POST /ap_diy HTTP/1.1')) return forDiy(text);
    return { silence: 'not a request that it knows' };
  };
}

function forDiy(text: string): ReturnType<ApAnswers<DiyApSettings>> {
  const body = jsonBody(text);
  if (body === undefined) return { silence: 'no JSON body' };
  const network = wifiIn(body);
  if (!network) return { silence: 'a field is missing' };
  return 'silence' in network ? network : { ...SETTINGS_TAKEN, taken: { mode: 'diy', network } };
}

function forCloud(text: string): ReturnType<ApAnswers<DiyApSettings>> {
  const answer = answerSettings(text);
  if ('silence' in answer || !answer.taken) return { silence: 'silence' in answer ? answer.silence : '' };
  const { ssid, password, ...cloud } = answer.taken;
  return { ...SETTINGS_TAKEN, taken: { mode: 'ewelink', network: { ssid, password }, cloud } };
}
