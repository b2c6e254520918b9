import { getStaticValue } from '@eslint-community/eslint-utils';
import regexp from 'eslint-plugin-regexp';
import tseslint from 'typescript-eslint';

/** Time and chance enter through src/machinery only, so that leases, grace periods and timeouts can be stepped in tests. */
const bareTime = [
  { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: 'Use the Clock from machinery/clock.' },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Use the Clock from machinery/clock.' },
  { selector: "CallExpression[callee.name=/^(setTimeout|setInterval)$/]", message: 'Use the Clock from machinery/clock.' },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'Chance is given, or realRandom of machinery/random.',
  },
  { selector: "ImportDeclaration[source.value=/^node:timers/]", message: 'Use the Clock from machinery/clock.' },
];

/** An expression made of anything but constants cannot be looked at here, so that nobody knows what it does to a client's text. */
const constantRegExp = {
  create(context) {
    const check = node => {
      if (node.callee.name !== 'RegExp') return;
      const made = getStaticValue(node, context.sourceCode.getScope(node));
      if (!(made?.value instanceof RegExp)) context.report({ node, message: 'A regular expression is made of constants only.' });
    };
    return { NewExpression: check, CallExpression: check };
  },
};

/** Arguments lie on the stack, which some 120,000 of them overflow: a client's list may be longer. */
const listAsArguments = [
  {
    selector: 'CallExpression[callee.property.name=/^(push|unshift|splice|concat|max|min|of|assign|fromCharCode|fromCodePoint)$/] > SpreadElement',
    message: 'A list of any length overflows the stack when it is spread into arguments: take its items one by one.',
  },
];

export default tseslint.config(
  { ignores: ['build/**', 'node_modules/**', '.tap/**', '*.js'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/require-await': 'off',
      'no-empty': ['error', { allowEmptyCatch: false }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      eqeqeq: 'error',
      'prefer-const': 'error',
    },
  },
  { files: ['src/**/*.ts'], ignores: ['src/machinery/{clock,random}.ts'], rules: { 'no-restricted-syntax': ['error', ...bareTime] } },
  {
    files: ['src/{machinery,api,kinds,server}/**/*.ts'],
    ignores: ['src/machinery/{clock,random}.ts'],
    rules: { 'no-restricted-syntax': ['error', ...bareTime, ...listAsArguments] },
  },
  // No expression that backtracks meets a client's text: one that takes more than linear time is an outage for everybody.
  {
    files: ['src/**/*.ts'],
    plugins: { regexp, kubette: { rules: { 'constant-regexp': constantRegExp } } },
    rules: {
      'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
      'regexp/no-super-linear-move': ['error', { report: 'potential', ignorePartial: false, ignoreSticky: true }],
      'kubette/constant-regexp': 'error',
    },
  },
  // tap's t.test returns a promise that nobody need wait for, and its methods are meant to be taken off.
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-floating-promises': 'off', '@typescript-eslint/unbound-method': 'off' } },
);
