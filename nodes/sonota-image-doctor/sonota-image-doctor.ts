import type { Node, NodeAPI, NodeDef } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import { ExaminedImages } from '../../lib/flash/firmware/examined-images';
import { readSource } from '../../lib/flash/firmware/image-source';
import { flashPicture, ROADS, roadFacts, type Examination, type Road } from '../../lib/image';
import { libraryOf } from '../shared/library';
import { readSource as readImage } from '../shared/sources';
import { translateError, translateFinding, translator } from '../shared/translate';
import { Values } from '../shared/values';

export default function register(RED: NodeAPI): void {
  function SonotaImageDoctor(this: Node, config: NodeDef): void {
    RED.nodes.createNode(this, config);
    const translate = translator(RED, config.type);
    const closing = new AbortController();

    const form = Values.ofForm(config);

    const look = async (said: Values): Promise<Examination> => {
      const road = roadIn(form) ?? roadIn(said) ?? 'finalstage';
      const source = readImage(said, 'payload');
      const options = { signal: closing.signal, library: libraryOf(RED) };
      const { bytes } = await readSource(roadFacts(road).role, source ?? '', options);
      // The flow may change what it gets.
      return structuredClone(await ExaminedImages.shared.examination(bytes, road));
    };
    const show = ({ verdict, findings }: Examination): void => {
      const first = findings[0];
      if (verdict === 'refuse') this.status({ fill: 'red', shape: 'ring', text: first?.code ?? '' });
      else if (verdict === 'warn') this.status({ fill: 'yellow', shape: 'dot', text: first?.code ?? '' });
      else this.status({ fill: 'green', shape: 'dot', text: translate('status.ok', 'fits') });
    };

    this.on('input', (message, send, done) => {
      look(Values.ofMessage(message))
        .then((examined) => {
          const findings = examined.findings.map((finding) => translateFinding(RED, finding));
          const image = { ...examined, findings };
          show(image);
          send(Object.assign(message, { payload: image, picture: flashPicture({ image }) }));
          done();
        })
        .catch((thrown: unknown) => {
          const error = asFlashError(thrown);
          // A node that goes lets its messages go, without an error.
          if (closing.signal.aborted) return done();
          this.status({ fill: 'red', shape: 'ring', text: error.code });
          done(translateError(RED, error));
        });
    });
    this.on('close', () => closing.abort());
    this.status({ fill: 'grey', shape: 'ring', text: translate('status.idle', 'idle') });
  }

  RED.nodes.registerType('sonota-image-doctor', SonotaImageDoctor);
}

/** The road that is meant, where it is said. @throws FlashError `road-unknown` */
function roadIn(values: Values): Road | undefined {
  const refuse = (road: string): FlashError => new FlashError('road-unknown', { road, known: ROADS.join(', ') });
  return values.choice('road', ROADS, refuse);
}
