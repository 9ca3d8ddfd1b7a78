/** What can be checked of the appliance without a container engine. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ConfigSchema } from '../../gateway/config.ts';
import { ROOT } from '../setup/environment.ts';

type Service = {
  image?: string;
  profiles?: string[];
  ports?: string[];
  networks?: string[] | Record<string, unknown>;
  volumes?: string[];
  environment?: Record<string, string>;
  depends_on?: unknown;
  restart?: string;
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  security_opt?: string[];
  logging?: { options: Record<string, string> };
  deploy?: { resources?: { limits?: { cpus?: string; memory?: string } } };
};
type Compose = { services: Record<string, Service>; networks: Record<string, { internal?: boolean }>; volumes: object };

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const compose = parse(read('compose/compose.yaml'), { merge: true }) as Compose;
const small = parse(read('compose/compose.small.yaml'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const networksOf = ({ networks = [] }: Service) => (Array.isArray(networks) ? networks : Object.keys(networks));
const megabytes = (text = '0m') => Number(/^(\d+)/.exec(text)?.[1]) * (text.endsWith('g') ? 1024 : 1);

describe('compose.yaml', () => {
  it.each(services)('%s has limits, bounded logs, and no right it does not need', (name, service) => {
    expect(service.deploy?.resources?.limits?.memory, 'memory').toBeDefined();
    expect(service.deploy?.resources?.limits?.cpus, 'cores').toBeDefined();
    expect(service.logging?.options['max-size'], 'log rotation').toBeDefined();
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toContain('no-new-privileges:true');
    if (!['prepare', 'toolbox'].includes(name)) expect(service.restart).toBe('unless-stopped');
    expect(service.image, 'tag').toMatch(/^\$\{[A-Z0-9_]+:-[^}]+\}$/);
  });

  it('runs the box as user 1000 on a read-only root without any capability', () => {
    const { luna } = compose.services;
    expect(luna).toMatchObject({ user: '1000:1000', read_only: true });
    expect(luna?.cap_add).toBeUndefined();
  });

  it('lets the LAN reach the box alone: other ports are on the machine itself', () => {
    for (const [name, { ports = [] }] of services.filter(([name]) => name !== 'luna'))
      for (const port of ports) expect(`${name} ${port}`).toMatch(/ 127\.0\.0\.1:/);
    expect(compose.services.luna?.ports).toHaveLength(3);
  });

  it('keeps every store in a network without a way out, QuestDB and Postgres in no other', () => {
    expect(compose.networks.stores?.internal).toBe(true);
    expect(compose.networks.watch?.internal).toBe(true);
    for (const name of ['questdb', 'postgres', 'minio', 'qdrant'])
      expect(networksOf(compose.services[name]!), name).toEqual(['stores']);
    const inStores = services.filter(([, service]) => networksOf(service).includes('stores')).map(([name]) => name);
    expect(inStores.sort()).toEqual(
      ['luna', 'minio', 'ollama', 'ollama-gpu', 'postgres', 'qdrant', 'questdb', 'toolbox'].sort(),
    );
  });

  it('holds no secret, and gives each container its own alone', () => {
    for (const [name, { environment = {}, volumes = [] }] of services) {
      for (const [key, value] of Object.entries(environment))
        if (/PASSWORD|SECRET|TOKEN|PASSPHRASE/.test(key)) expect(`${key}=${value}`).toMatch(/_FILE=\/run\/secrets-/);
      if (name === 'prepare') continue;
      const secrets = volumes.filter((volume) => volume.startsWith('secrets-'));
      expect(secrets.length, name).toBeLessThan(2);
      for (const volume of secrets) expect(volume).toMatch(/:ro$/);
    }
  });

  it('names every volume and network that it uses', () => {
    const volumes = services.flatMap(([, { volumes: used = [] }]) =>
      used.map((text) => text.replace(/^\$\{[^}]*:-([^}]*)\}/, '$1').split(':')[0]!),
    );
    for (const name of volumes.filter((name) => /^[a-z]/.test(name)))
      expect(Object.keys(compose.volumes)).toContain(name);
    for (const [, service] of services)
      for (const name of networksOf(service)) expect(Object.keys(compose.networks)).toContain(name);
  });

  it('fits into 16 GB and 4 GB, with what watches it', () => {
    const sum = (overrides: Record<string, Service>) =>
      services
        .filter(([name]) => !['prepare', 'toolbox', 'ollama-gpu', 'mlflow', 'n8n'].includes(name))
        .filter(([name]) => !overrides[name]?.profiles?.includes('large'))
        .reduce(
          (total, [name, { deploy }]) =>
            total + megabytes(overrides[name]?.deploy?.resources?.limits?.memory ?? deploy?.resources?.limits?.memory),
          0,
        );
    expect(sum({})).toBeLessThanOrEqual(16 * 1024);
    expect(sum(small.services)).toBeLessThanOrEqual(4 * 1024);
  });

  it('overrides only what is there', () => {
    for (const name of Object.keys(small.services)) expect(Object.keys(compose.services)).toContain(name);
  });

  it('knows the configuration of the box', () => {
    for (const key of Object.keys(compose.services.luna?.environment ?? {})) {
      const name = key.replace(/^LUNA_/, '').toLowerCase();
      const known = name in ConfigSchema.shape || name.replace(/_file$/, '') in ConfigSchema.shape;
      expect(known, key).toBe(true);
    }
  });
});

describe('.env.example', () => {
  const variables = new Map(
    read('compose/.env.example')
      .split('\n')
      .flatMap((line) =>
        /^[A-Z0-9_]+=/.test(line) ? [[line.split('=')[0]!, line.slice(line.indexOf('=') + 1)] as const] : [],
      ),
  );
  const used = [...read('compose/compose.yaml').matchAll(/\$\{([A-Z0-9_]+):-([^}]*)\}/g)];

  it('has every variable of compose.yaml with the same default, and no other', () => {
    for (const [, name = '', fallback] of used) expect(`${name}=${variables.get(name)}`).toBe(`${name}=${fallback}`);
    expect([...variables.keys()].sort()).toEqual([...new Set(used.map(([, name]) => name))].sort());
  });
  it('holds no secret', () => {
    for (const name of variables.keys()) expect(name).not.toMatch(/PASSWORD|SECRET|TOKEN|KEY/);
  });
});

describe('the Dockerfile', () => {
  const text = read('Dockerfile');
  const stage = text.slice(text.indexOf('AS luna'), text.indexOf('# Unverified until'));

  it('runs the program as user 1000, watched by itself, with labels', () => {
    expect(stage).toMatch(/^USER 1000:1000$/m);
    expect(stage).toMatch(/CMD \["node", "\/app\/gateway\/healthcheck\.ts"\]/);
    for (const label of ['title', 'description', 'licenses', 'version', 'revision'])
      expect(stage).toContain(`org.opencontainers.image.${label}=`);
    expect(text.trimEnd().endsWith('FROM luna')).toBe(true);
  });
  it('installs what is locked without what only tests need, from pinned bases', () => {
    expect(text).toContain('npm ci --omit=dev');
    for (const [, image = ''] of text.matchAll(/^FROM (\S+)/gm))
      if (/[/:]/.test(image)) expect(image).toMatch(/:[\w.-]*\d|:bookworm/);
    expect(text).not.toMatch(/^(ADD|# *syntax)/m);
    expect(stage).not.toMatch(/apt-get|curl|wget/);
  });
  it('copies every folder that the program is made of, and the build sees nothing else', () => {
    const ignored = read('.dockerignore');
    expect(ignored).toMatch(/^\*$/m);
    for (const folder of ['engine', 'recommender', 'connectors', 'gateway', 'web', 'firmware-profiles', 'tariffs']) {
      expect(stage).toContain(`COPY ${folder} ${folder}`);
      expect(ignored).toContain(`!${folder}`);
    }
    expect(ignored.replace('!compose/prune-packages.sh', '')).not.toMatch(/!(test|\.env|compose)/);
  });
});

it('every script of the appliance is one that the makefile names', () => {
  const makefile = read('Makefile');
  const script = read('compose/appliance.sh');
  for (const word of ['up', 'down', 'reset', 'logs', 'status', 'backup', 'restore', 'upgrade', 'passphrase']) {
    expect(makefile).toMatch(new RegExp(`appliance\\.sh|\\$\\(APPLIANCE\\) ${word}`));
    expect(script).toMatch(new RegExp(`^  ${word}\\) `, 'm'));
  }
  expect(readdirSync(join(ROOT, 'compose')).sort()).toContain('.env.example');
});
