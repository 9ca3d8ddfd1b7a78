/** Everything about plans, made from one another: signals, plans, what goes out to devices. */
import type { BusRegistry } from '../../connectors/meters/modbus/bus.ts';
import type { BrokerWays } from '../broker/ways.ts';
import type { Part } from '../lifecycle.ts';
import type { Base, DeviceService } from '../services.ts';
import { createGridInputs } from './grid-inputs.ts';
import { createGridSignals, type GridSignalService } from './grid-signals.ts';
import { createPlanSensors } from './plans/home-assistant.ts';
import { createPlanService, type PlanDeps, type PlanService } from './plans.ts';
import { createSavings, type SavingsDeps, type SavingsService } from './savings.ts';
import { createSetpoints, type SetpointService } from './setpoints.ts';
import { createSimulations, type SimulationService } from './simulations.ts';

export type Planning = {
  plans: PlanService;
  gridSignals: GridSignalService;
  setpoints: SetpointService;
  simulations: SimulationService;
  savings: SavingsService;
};

export type PlanningDeps = Pick<Base, 'config'> &
  Omit<PlanDeps, 'signals' | 'tenants' | 'site' | 'boxDevice'> &
  Omit<SavingsDeps, 'devices' | 'isHoliday' | 'tenants' | 'site'> & {
    site: PlanDeps['site'] & { tenants(): readonly string[] };
    boxDevices: Pick<DeviceService, 'get' | 'report'> & { buses: Pick<BusRegistry, 'acquire'> };
    brokers: Pick<BrokerWays, 'publish' | 'hear'>;
  };

/** `parts` belong before the jobs; `listening` only to a box that listens. */
export function createPlanning(deps: PlanningDeps): { services: Planning; parts: Part[]; listening: Part[] } {
  const { boxDevices, brokers } = deps;
  const tenants = () => deps.site.tenants();
  const device = (tenant: string, id: string) => boxDevices.get(tenant, id) ?? null;
  const gridSignals = createGridSignals({ ...deps, boxDevice: device, devices: (tenant) => plans.devices(tenant) });
  const plans = createPlanService({ ...deps, tenants, boxDevice: device, signals: gridSignals });
  const { buses, report } = boxDevices;
  const setpoints = createSetpoints({
    ...{ ...deps, tenants, signals: gridSignals, device, buses, publish: brokers.publish },
    plan: plans.latest,
    planDevices: plans.devices,
  });
  const simulations = createSimulations(deps);
  const savings = createSavings({ ...deps, tenants, devices: plans.devices, isHoliday: deps.tariffs.isHoliday });
  const inputs = createGridInputs({
    ...deps,
    tenants,
    signals: gridSignals,
    device,
    report,
    buses,
    hear: brokers.hear,
  });
  const sensors = createPlanSensors({ ...deps, tenants, plan: plans.latest, publish: brokers.publish });
  return {
    services: { plans, gridSignals, setpoints, simulations, savings },
    parts: [
      { name: 'grid signals', start: () => gridSignals.start(), close: () => gridSignals.stop() },
      { name: 'plans', start: () => plans.start(), close: () => plans.stop() },
      { name: 'simulations', start: () => simulations.start() },
      { name: 'savings', start: () => savings.start() },
    ],
    listening: [
      { name: 'setpoints', start: () => setpoints.start(), close: () => setpoints.stop() },
      { name: 'plan sensors', start: () => sensors.start(), close: () => sensors.stop() },
      { name: 'grid inputs', start: () => inputs.start(), close: () => inputs.stop() },
    ],
  };
}
