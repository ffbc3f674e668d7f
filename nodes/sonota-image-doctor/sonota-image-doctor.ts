import type { Node, NodeAPI } from 'node-red';
import { FlashError } from '../../lib/errors';
import { ExaminedImages } from '../../lib/firmware/examined-images';
import { readSource } from '../../lib/firmware/image-source';
import { flashPicture, IMAGE_TARGETS, targetFacts, type Examination, type ImageTarget } from '../../lib/image';
import { libraryOf } from '../shared/library';
import { readSource as readImage } from '../shared/sources';
import type { WiredNodeDef } from '../shared/node-wiring';
import { TaskNode } from '../shared/task-node';
import { pictureSpeech, translateFinding } from '../shared/translate';
import { Values } from '../shared/values';
import type { WordingValue } from '../../lib/wordings/wording';

const VERDICTS: Readonly<Record<Examination['verdict'], string>> = {
  ok: 'This image fits.',
  warn: 'This image fits, with a reservation.',
  refuse: 'This image must not be installed.',
};

export default function register(RED: NodeAPI): void {
  function SonotaImageDoctor(this: Node, config: WiredNodeDef): void {
    RED.nodes.createNode(this, config);
    const form = Values.ofForm(config);

    const examine = async (said: Values, signal: AbortSignal): Promise<Examination> => {
      const target = targetIn(form) ?? targetIn(said) ?? 'finalstage';
      const source = readImage(said, 'payload');
      const { bytes } = await readSource(targetFacts(target).role, source ?? '', { signal, library: libraryOf(RED) });
      // The flow may change what it gets.
      return structuredClone(await ExaminedImages.shared.examination(bytes, target));
    };
    const show = ({ verdict, findings }: Examination): void => {
      const { status, translate } = tasks;
      const { code = '' } = findings[0] ?? {};
      if (verdict === 'refuse') status.endedBadly(code);
      else if (verdict === 'warn') status.doubtful(code);
      else status.done(translate('status.ok', 'fits'));
    };

    /** One sentence on the image as a whole, then those of its first finding. */
    const sentenceOn = ({ verdict, findings: [first] }: Examination): string => {
      const whole = tasks.translate(`text.${verdict}`, VERDICTS[verdict]);
      return first ? `${whole} ${first.text} ${first.remedy}` : whole;
    };

    const tasks = new TaskNode(RED, this, config, {
      run: async ({ said, signal }) => {
        const examined = await examine(said, signal);
        const findings = examined.findings.map((finding) => translateFinding(RED, finding));
        const image = { ...examined, road: examined.target, findings };
        show(image);
        const password = said.password();
        return {
          payload: image,
          text: sentenceOn(image),
          picture: flashPicture({ image, speak: pictureSpeech(RED) }),
          // It is for a node behind this one.
          ...(password === undefined ? {} : { password }),
        };
      },
    });
  }

  RED.nodes.registerType('sonota-image-doctor', SonotaImageDoctor);
}

/** The target that is meant, where one is named; `road` is its older name. @throws FlashError `road-unknown` */
function targetIn(values: Values): ImageTarget | undefined {
  const refuse = (road: WordingValue): FlashError =>
    new FlashError('road-unknown', { road, known: IMAGE_TARGETS.join(', ') });
  return values.choice('target', IMAGE_TARGETS, refuse) ?? values.choice('road', IMAGE_TARGETS, refuse);
}
