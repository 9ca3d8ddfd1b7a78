/** What the plan of the demo site may move: its battery, and the cars that charge while people work. */

const battery = (name: string) => ({
  ...{ kind: 'battery', id: 'battery', name, soc_meter: 'demo-battery' },
  ...{ capacity_kWh: 100, reserve_percent: 8, charge_W: 50_000, discharge_W: 50_000 },
  ...{ charge_efficiency: 0.95, discharge_efficiency: 0.95, degradation_per_kWh: 0.02 },
  section_14a: { kind: 'battery', power_W: 50_000 },
});
const cars = (name: string) => ({
  ...{ kind: 'vehicle', id: 'cars', name, meter: 'demo-ev' },
  ...{ capacity_kWh: 160, charge_W: 22_000, arrival_percent: 55 },
  stays: [{ weekdays: [1, 2, 3, 4, 5], arrive: '08:00', depart: '16:30', goal_percent: 80 }],
  section_14a: { kind: 'charger', power_W: 22_000 },
});

export const DEMO_PLAN_DEVICES = {
  en: [battery('Battery'), cars('Cars at the charging points')],
  de: [battery('Batterie'), cars('Autos an den Ladepunkten')],
} as const;
