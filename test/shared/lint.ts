import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { packageRoot } from './package-root';

/** This package's lint, for files that do not exist: so no rule of it may ask for types. */
export function lintWithoutTypes(): ESLint {
  return new ESLint({
    cwd: packageRoot(),
    overrideConfig: [
      tseslint.configs.disableTypeChecked,
      { languageOptions: { parserOptions: { project: null } } },
    ] as never,
  });
}
