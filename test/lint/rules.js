import { getStaticValue } from '@eslint-community/eslint-utils';

/*
 * What no plugin asks for. JavaScript, as oxlint loads it as it is.
 */

/** An expression made of anything but constants cannot be looked at here, so that nobody knows what it does to a client's text. */
const constantRegExp = {
  create(context) {
    const check = node => {
      if (node.callee.name !== 'RegExp') return;
      const made = getStaticValue(node, context.sourceCode.getScope(node));
      if (!(made?.value instanceof RegExp))
        context.report({ node, message: 'A regular expression is made of constants only.' });
    };
    return { NewExpression: check, CallExpression: check };
  },
};

/** Time and chance enter through src/machinery only, so that leases, grace periods and timeouts can be stepped in tests. */
const givenTimeAndChance = {
  create(context) {
    const time = node => context.report({ node, message: 'Use the Clock from machinery/clock.' });
    const isMember = (node, object, property) =>
      node.type === 'MemberExpression' && node.object.name === object && node.property.name === property;
    return {
      CallExpression(node) {
        const { callee } = node;
        if (isMember(callee, 'Date', 'now') || /^set(Timeout|Interval)$/.test(callee.name ?? '')) time(node);
      },
      NewExpression(node) {
        if (node.callee.name === 'Date' && node.arguments.length === 0) time(node);
      },
      ImportDeclaration(node) {
        if (node.source.value.startsWith('node:timers')) time(node);
      },
      MemberExpression(node) {
        if (isMember(node, 'Math', 'random'))
          context.report({ node, message: 'Chance is given, or realRandom of machinery/random.' });
      },
    };
  },
};

const TAKES_MANY = new Set('push unshift splice concat max min of assign fromCharCode fromCodePoint'.split(' '));

/** Arguments lie on the stack, which some 120,000 of them overflow: a client's list may be longer. */
const noListAsArguments = {
  create: context => ({
    CallExpression(node) {
      if (!TAKES_MANY.has(node.callee.property?.name)) return;
      for (const given of node.arguments)
        if (given.type === 'SpreadElement')
          context.report({
            node: given,
            message:
              'A list of any length overflows the stack when it is spread into arguments: take its items one by one.',
          });
    },
  }),
};

const namedExports = {
  create: context => ({
    ExportDefaultDeclaration: node => context.report({ node, message: 'Exports have names.' }),
  }),
};

/**
 * Of a package that is loaded when it is needed a bundle may have the default export only: names of CommonJS modules are found by reading
 * them, which is not done for what is bundled.
 */
const defaultOfPackage = {
  create: context => ({
    ImportExpression(node) {
      const name = node.source.value;
      if (typeof name !== 'string' || name.startsWith('.') || name.startsWith('node:')) return;
      const taker = node.parent.type === 'AwaitExpression' ? node.parent.parent : undefined;
      const takesDefault =
        (taker?.type === 'MemberExpression' && taker.property.name === 'default') ||
        (taker?.type === 'VariableDeclarator' &&
          taker.id.type === 'ObjectPattern' &&
          taker.id.properties.every(({ key }) => key?.name === 'default'));
      if (!takesDefault) context.report({ node, message: 'Take the default export: a bundle may have no other.' });
    },
  }),
};

export default {
  meta: { name: 'kubette' },
  rules: {
    'constant-regexp': constantRegExp,
    'default-of-package': defaultOfPackage,
    'given-time-and-chance': givenTimeAndChance,
    'no-list-as-arguments': noListAsArguments,
    'named-exports': namedExports,
  },
};
