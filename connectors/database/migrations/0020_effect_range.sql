-- What a measured effect of advice may be, by the forecast's errors: its 90 % interval. Null where it is not known.
alter table effect add column low double precision;
alter table effect add column high double precision;
