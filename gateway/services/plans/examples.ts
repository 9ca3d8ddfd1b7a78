/** A device of each kind to begin with; the guide shows the same. */
const EXAMPLES: Readonly<Record<string, string>> = {
  battery: `kind: battery
id: battery
name: Battery
capacity_kWh: 20
reserve_percent: 10
charge_W: 10000
discharge_W: 10000
degradation_per_kWh: 0.02
charge_from_grid: true
discharge_to_grid: false
soc_meter: battery            # meter point that shows its state of charge
section_14a: null             # or { kind: battery, power_W: 10000 }
control: { way: none }        # an admin switches writing on here, see the guide
`,
  vehicle: `kind: vehicle
id: car
name: Car
capacity_kWh: 60
charge_W: 11000
min_charge_W: 4200
arrival_percent: 40           # how full it usually comes back
meter: null                   # meter point of its charger
stays:
  - { weekdays: [1, 2, 3, 4, 5], arrive: "17:30", depart: "07:30", goal_percent: 80 }
section_14a: { kind: charger, power_W: 11000 }
control: { way: none }
`,
  'heat-pump': `kind: heat-pump
id: heat-pump
name: Heat pump
electric_W: 4000
min_W: 1200
store_kWh: 15                 # heat that the tank or the building can hold
start_percent: 50
heat_loss_W_per_K: 250        # heat needed for each degree colder outside
heating_below_C: 16
meter: null
section_14a: { kind: heat-pump, power_W: 4000 }
running: { min_on_min: 30, min_off_min: 30 }
control: { way: none }
`,
  load: `kind: load
id: pump
name: Pump
power_W: 3000
windows:
  - { weekdays: [1, 2, 3, 4, 5, 6, 7], from: "22:00", to: "06:00", energy_kWh: 9 }
meter: null
running: { min_on_min: 60, min_off_min: 15 }
control: { way: none }
`,
};

export function exampleDevice(kind: string | undefined): string {
  return EXAMPLES[kind ?? 'battery'] ?? EXAMPLES.battery!;
}
