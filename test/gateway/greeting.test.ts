import { describe, expect, it } from 'vitest';
import { greetingOf } from '../../gateway/greeting.ts';

const LISTENING = { scheme: 'http', host: '0.0.0.0', port: 8080, mqtt_port: 1883, mqtts_port: null };

describe('greetingOf', () => {
  it('gives the set-up link at every address of the network, for a box without a screen', () => {
    const said = greetingOf(LISTENING, { public_url: null, lan: ['192.168.1.7', '10.0.0.2'], token: 'abc' });
    for (const name of ['localhost', '192.168.1.7', '10.0.0.2'])
      expect(said).toContain(`http://${name}:8080/setup?token=abc\n`);
  });

  it('gives no link once somebody has signed in', () => {
    const said = greetingOf(LISTENING, { public_url: null, lan: ['192.168.1.7'], token: null });
    expect(said).toContain('on the network:      http://192.168.1.7:8080\n');
    expect(said).not.toContain('setup');
  });

  it.each([
    ['127.0.0.1', 'http://localhost:8080'],
    ['192.168.1.7', 'http://192.168.1.7:8080'],
    ['fd00::7', 'http://[fd00::7]:8080'],
  ])('names the address it listens on, %s', (host, base) => {
    const said = greetingOf({ ...LISTENING, host }, { public_url: null, lan: ['10.0.0.2'], token: 'abc' });
    expect(said).toContain(`ready:  ${base}\n`);
    expect(said.match(/setup\?token=abc/g)).toHaveLength(1);
  });

  it('names the port of MQTT over TLS where there is one', () => {
    const told = { public_url: null, lan: [], token: null };
    expect(greetingOf(LISTENING, told)).toContain('meters push MQTT to: port 1883\n');
    expect(greetingOf({ ...LISTENING, mqtts_port: 8883 }, told)).toContain('port 1883, with TLS port 8883\n');
  });

  it('names the public address first', () => {
    const said = greetingOf(LISTENING, { public_url: 'https://energy.example', lan: ['10.0.0.2'], token: 'abc' });
    expect(said).toContain('set it up once at:   https://energy.example/setup?token=abc\n');
    expect(said).toContain('http://10.0.0.2:8080/setup?token=abc\n');
  });
});
