// A real OpenID Connect provider (npm: oidc-provider) whose keys, and whose presence, a test commands.
//
//   node provider.mjs MODULES ISSUER_PORT [down]
//
// MODULES is the `node_modules` to take the package from. Two servers on loopback:
//
//   issuer    http://127.0.0.1:ISSUER_PORT, the provider itself, from the start or (`down`) when it is told to come up
//   control   POST /token               the same token endpoint, there even while the issuer is not
//             POST /rotate?keep=old     new keys sign; the old ones are still published, behind the new ones
//             POST /rotate?keep=none    new keys sign, and nothing else is published
//             POST /down, POST /up      the issuer hangs up and listens no more; listens again
//             GET  /counts              how often the issuer was asked for its discovery document and for its keys
//
// The first line of standard output is the control port. The process ends when its standard input does, so it never outlives the
// test that holds the other end.

import { createServer } from 'node:http';
import { createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, issuerPort, presence] = process.argv.slice(2);
// Standard output is for the port alone; the package has notices for people in production.
console.info = console.error;
const { default: Provider } = await import(pathToFileURL(resolve(modules, 'oidc-provider/lib/index.js')));

const issuer = `http://127.0.0.1:${issuerPort}`;

// What a client can ask a token for: the audience, and the algorithm of the signature.
const resources = {
  'urn:api': ['api', 'RS256'],
  'urn:api:es256': ['api', 'ES256'],
  'urn:other': ['other', 'RS256'],
};

// By way of PEM: a key that is exported as a JWK straight from its generation shares a lock with the generation's job, and node 20
// stops for ever when it collects that job as garbage meanwhile.
const encodings = {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
};

function newKeys() {
  const jwk = ({ privateKey }, alg) => {
    const key = createPrivateKey(privateKey).export({ format: 'jwk' });
    return { ...key, alg, use: 'sig', kid: randomUUID() };
  };
  return [
    jwk(generateKeyPairSync('rsa', { modulusLength: 2048, ...encodings }), 'RS256'),
    jwk(generateKeyPairSync('ec', { namedCurve: 'P-256', ...encodings }), 'ES256'),
  ];
}

// The first key of an algorithm signs.
function provider(keys) {
  return new Provider(issuer, {
    clients: [{
      client_id: 'test',
      client_secret: 'secret',
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: 'read write',
    }],
    cookies: { keys: [randomUUID()] },
    jwks: { keys },
    scopes: ['read', 'write'],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo(_, resource) {
          const [audience, alg] = resources[resource];
          return { audience, scope: 'read write', accessTokenFormat: 'jwt', accessTokenTTL: 3600, jwt: { sign: { alg } } };
        },
      },
    },
    ttl: { ClientCredentials: 3600 },
  }).callback();
}

let keys = newKeys();
let serve = provider(keys);
const counts = { discovery: 0, jwks: 0 };

const issuing = createServer((request, response) => {
  if (request.url === '/.well-known/openid-configuration') counts.discovery += 1;
  if (request.url === '/jwks') counts.jwks += 1;
  serve(request, response);
});

// Resolves when the server has done it.
const up = () => new Promise((done, failed) => issuing.once('error', failed).listen(Number(issuerPort), '127.0.0.1', done));
const down = () => new Promise((done) => { issuing.close(done); issuing.closeAllConnections(); });

const commands = {
  'POST /rotate?keep=old': () => { keys = [...newKeys(), ...keys]; serve = provider(keys); },
  'POST /rotate?keep=none': () => { keys = newKeys(); serve = provider(keys); },
  'POST /down': down,
  'POST /up': up,
  'GET /counts': () => counts,
};

const control = createServer(async (request, response) => {
  const command = commands[`${request.method} ${request.url}`];
  if (command) response.end(JSON.stringify(await command() ?? {}));
  else if (request.url === '/token') serve(request, response);
  else response.writeHead(404).end();
});

process.stdin.resume().on('end', () => process.exit()).on('error', () => process.exit());
if (presence !== 'down') await up();
control.listen(0, '127.0.0.1', () => process.stdout.write(`${control.address().port}\n`));
