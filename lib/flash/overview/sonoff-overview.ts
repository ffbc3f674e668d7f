import { METHODS, REASONS, type Confidence, type Method, type Reason } from '../../protocol/recommendation';
import { fill } from '../../wordings/wording';
import type { DeviceSurvey } from '../discovery/device-survey';
import type { ListedSonoff } from '../discovery/listed-sonoff';

/** A Sonoff of the list as people look at it: plain data for JSON, with English texts and what to translate them by. */
export interface SonoffOverview {
  readonly id: string;
  readonly deviceid: string | undefined;
  readonly name: string | undefined;
  readonly model: string | undefined;
  readonly version: string | undefined;
  readonly address: string | undefined;
  readonly method: { readonly name: Method; readonly text: string };
  readonly confidence: Confidence;
  readonly reason: { readonly name: Reason; readonly values: Readonly<Record<string, string>>; readonly text: string };
}

/** Undefined without a watcher of the survey. */
export function sonoffsIn(survey: Pick<DeviceSurvey, 'isWatching' | 'list'>): readonly SonoffOverview[] | undefined {
  return survey.isWatching ? survey.list.map(sonoffOverview) : undefined;
}

function sonoffOverview({ key, recommendation, ...device }: ListedSonoff): SonoffOverview {
  const { deviceid, name, model, version, address } = device;
  const { method, confidence, reason, values } = recommendation;
  return {
    ...{ id: key, deviceid, name, model, version, address, confidence },
    method: { name: method, text: METHODS[method] },
    reason: { name: reason, values, text: fill(REASONS[reason], values) },
  };
}
