import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** The requests to a child process, by name. Arguments and answers are plain data. */
export type Handlers = Readonly<Record<string, (argument: never) => unknown>>;

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A process that answers: what is measured in one must not share its event loop with what measures it. */
export class Child {
  private asked = 0;

  private constructor(private readonly child: ChildProcess) {
    child.setMaxListeners(0);
  }

  /** Where each child leaves a profile of its processor time, if anywhere. */
  static profiles: string | undefined;

  /** @param module compiled, in this folder */
  static start(module: string): Child {
    const profile = Child.profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${Child.profiles}`];
    return new Child(fork(`${__dirname}/${module}.js`, { execArgv: ['--expose-gc', ...profile] }));
  }

  /** @throws Error what the handler threw, or that the process has ended */
  async ask<T>(what: string, argument?: unknown): Promise<T> {
    const id = ++this.asked;
    const answer = new Promise<T>((resolve, reject) => {
      const onAnswer = ({ id: to, value, error }: Answer): void => {
        if (to !== id) return;
        this.child.off('message', onAnswer).off('exit', onExit);
        if (error === undefined) resolve(value as T);
        else reject(new Error(error));
      };
      const onExit = (): void => reject(new Error(`the process ended before it answered "${what}"`));
      this.child.on('message', onAnswer).on('exit', onExit);
    });
    this.child.send({ id, what, argument });
    return await answer;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.disconnect();
    await ended;
  }
}

/** The child's side: answers until its parent goes. */
export function answerParent(handlers: Handlers): void {
  process.on('message', ({ id, what, argument }: { id: number; what: string; argument: never }) => {
    const work = async (): Promise<unknown> => handlers[what]?.(argument);
    work().then(
      (value) => process.send?.({ id, value }),
      (error: Error) => process.send?.({ id, error: error.stack ?? error.message }),
    );
  });
  process.once('disconnect', () => process.exit(0));
}
