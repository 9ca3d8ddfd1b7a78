/**
 * The points of SunSpec information models that profiles may name, as offsets from the model's first register (its
 * ID). Source: SunSpec Alliance, github.com/sunspec/models (Apache-2.0), json/model_*.json.
 */
export type SunSpecType = 'uint16' | 'int16' | 'uint32' | 'uint64' | 'acc32' | 'float32' | 'string';
export type SunSpecPoint = { offset: number; type: SunSpecType; sf?: number; length?: number };
export type SunSpecModel = {
  points: Readonly<Record<string, SunSpecPoint>>;
  /** Repeating blocks: offset of the first and length of each; offsets of `module` points count from the block. */
  module?: { first: number; length: number; points: Readonly<Record<string, SunSpecPoint>> };
};

const u16 = (offset: number, sf?: number): SunSpecPoint => ({ offset, type: 'uint16', ...(sf ? { sf } : {}) });
const s16 = (offset: number, sf?: number): SunSpecPoint => ({ offset, type: 'int16', ...(sf ? { sf } : {}) });
const acc = (offset: number, sf: number): SunSpecPoint => ({ offset, type: 'acc32', sf });
const u32 = (offset: number, sf: number): SunSpecPoint => ({ offset, type: 'uint32', sf });
const u64 = (offset: number, sf: number): SunSpecPoint => ({ offset, type: 'uint64', sf });
const f32 = (offset: number): SunSpecPoint => ({ offset, type: 'float32' });

const COMMON: SunSpecModel = { points: { Vr: { offset: 42, type: 'string', length: 8 } } };

const INVERTER: SunSpecModel = {
  points: {
    A: u16(2, 6),
    AphA: u16(3, 6),
    AphB: u16(4, 6),
    AphC: u16(5, 6),
    PhVphA: u16(10, 13),
    PhVphB: u16(11, 13),
    PhVphC: u16(12, 13),
    W: s16(14, 15),
    Hz: u16(16, 17),
    VA: s16(18, 19),
    VAr: s16(20, 21),
    PF: s16(22, 23),
    WH: acc(24, 26),
    DCW: s16(31, 32),
    TmpCab: s16(33, 37),
  },
};

const INVERTER_FLOAT: SunSpecModel = {
  points: {
    A: f32(2),
    AphA: f32(4),
    AphB: f32(6),
    AphC: f32(8),
    PhVphA: f32(16),
    PhVphB: f32(18),
    PhVphC: f32(20),
    W: f32(22),
    Hz: f32(24),
    VA: f32(26),
    VAr: f32(28),
    PF: f32(30),
    WH: f32(32),
    DCW: f32(38),
    TmpCab: f32(40),
  },
};

const METER: SunSpecModel = {
  points: {
    A: s16(2, 6),
    AphA: s16(3, 6),
    AphB: s16(4, 6),
    AphC: s16(5, 6),
    PhV: s16(7, 15),
    PhVphA: s16(8, 15),
    PhVphB: s16(9, 15),
    PhVphC: s16(10, 15),
    Hz: s16(16, 17),
    W: s16(18, 22),
    WphA: s16(19, 22),
    WphB: s16(20, 22),
    WphC: s16(21, 22),
    VA: s16(23, 27),
    VAR: s16(28, 32),
    PF: s16(33, 37),
    TotWhExp: acc(38, 54),
    TotWhImp: acc(46, 54),
  },
};

const METER_FLOAT: SunSpecModel = {
  points: {
    A: f32(2),
    AphA: f32(4),
    AphB: f32(6),
    AphC: f32(8),
    PhV: f32(10),
    PhVphA: f32(12),
    PhVphB: f32(14),
    PhVphC: f32(16),
    Hz: f32(26),
    W: f32(28),
    WphA: f32(30),
    WphB: f32(32),
    WphC: f32(34),
    VA: f32(36),
    VAR: f32(44),
    PF: f32(52),
    TotWhExp: f32(60),
    TotWhImp: f32(68),
  },
};

/** DER AC measurement (IEEE 1547-2018): what newer inverters have beside or instead of 101 to 103. */
const DER_AC: SunSpecModel = {
  points: {
    W: s16(10, 116),
    VA: s16(11, 118),
    Var: s16(12, 119),
    PF: s16(13, 117),
    A: s16(14, 113),
    Hz: u32(17, 115),
    TotWhInj: u64(19, 120),
    TotWhAbs: u64(23, 120),
    TmpCab: s16(36, 122),
    WL1: s16(41, 116),
    AL1: s16(45, 113),
    VL1: u16(47, 114),
    WL2: s16(64, 116),
    AL2: s16(68, 113),
    VL2: u16(70, 114),
    WL3: s16(87, 116),
    AL3: s16(91, 113),
    VL3: u16(93, 114),
  },
};

const STORAGE: SunSpecModel = { points: { ChaState: u16(8, 22) } };
const BATTERY: SunSpecModel = { points: { SoC: u16(11, 56), W: s16(47, 63) } };

const DER_STORAGE: SunSpecModel = { points: { SoC: u16(4, 8) } };

const MPPT: SunSpecModel = {
  points: {},
  // The scale factors of the modules stand in the model's head, so `sf` counts from the model, not from the block.
  module: { first: 10, length: 20, points: { DCW: u16(11, 4), DCWH: acc(12, 5) } },
};

export const SUNSPEC_MODELS: Readonly<Record<number, SunSpecModel>> = {
  1: COMMON,
  101: INVERTER,
  102: INVERTER,
  103: INVERTER,
  111: INVERTER_FLOAT,
  112: INVERTER_FLOAT,
  113: INVERTER_FLOAT,
  124: STORAGE,
  160: MPPT,
  201: METER,
  202: METER,
  203: METER,
  204: METER,
  211: METER_FLOAT,
  212: METER_FLOAT,
  213: METER_FLOAT,
  214: METER_FLOAT,
  701: DER_AC,
  713: DER_STORAGE,
  802: BATTERY,
};
