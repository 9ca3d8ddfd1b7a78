/**
 * Who may call what: the one declared table that every route of the box is held against. A route that is missing here,
 * or stands here and is gone, fails the test.
 *
 * `least` is the least role: `-` is everybody, `owner` an admin of the organisation that the box belongs to. `way`:
 * - `api`: key, token, or session (unsafe methods with the CSRF token); 401 for strangers, 403 for too little
 * - `push`: as `api`, and a device with its own credential
 * - `page`: as `api`, but strangers are led to the sign-in
 * - `person`: a page that keys cannot use: they have no account
 * - `known`: as `api`, and open to everybody on the box itself
 * - `open`: answers everybody, and tells nobody whose box it is
 */
export type Way = 'api' | 'push' | 'page' | 'person' | 'known' | 'open';
export type Least = 'user' | 'analyst' | 'admin' | 'owner' | null;
export type Rule = { route: string; method: string; path: string; least: Least; way: Way };

const TABLE = `
-       open   GET    /static/{version}/{name}
-       open   GET    /healthz
-       open   GET    /readyz
owner   known  GET    /metrics
-       open   GET    /api/v1/openapi.json
-       open   GET    /api
user    api    POST   /api/v1/token

analyst push   POST   /api/v1/readings
analyst api    POST   /api/v1/data/load
user    api    GET    /api/v1/data/query
user    api    GET    /api/v1/data/totals
analyst api    POST   /api/v1/data/repair
analyst api    GET    /api/v1/data/changes
analyst api    GET    /api/v1/data/repairs
analyst api    GET    /api/v1/data/repairs/{id}
analyst api    POST   /api/v1/data/repairs
analyst api    POST   /api/v1/data/repairs/preview
analyst api    POST   /api/v1/data/repairs/{id}/undo
analyst api    POST   /api/v1/data/repairs/{id}/redo
user    api    GET    /api/v1/quality
user    api    GET    /api/v1/prices
user    api    GET    /api/v1/prices/sources
user    api    GET    /api/v1/prices/demand
admin   api    POST   /api/v1/prices/refresh
admin   api    POST   /api/v1/prices/load
user    api    GET    /api/v1/tariff
admin   api    PUT    /api/v1/tariff/versions/{valid_from}
admin   api    DELETE /api/v1/tariff/versions/{valid_from}
user    api    POST   /api/v1/tariff/check
user    api    GET    /api/v1/tariff/prices
user    api    GET    /api/v1/tariff/examples
user    api    GET    /api/v1/bills/{month}
user    api    GET    /api/v1/bills/{month}/lines/{line}
user    api    GET    /api/v1/plan
user    api    GET    /api/v1/plan.ics
analyst api    POST   /api/v1/plan/refresh
user    api    POST   /api/v1/plan/what-if
user    api    GET    /api/v1/plan/devices
admin   api    PUT    /api/v1/plan/devices/{id}
admin   api    DELETE /api/v1/plan/devices/{id}
user    api    GET    /api/v1/plan/settings
admin   api    PUT    /api/v1/plan/settings
user    api    GET    /api/v1/plan/overrides
analyst api    POST   /api/v1/plan/overrides/cost
analyst api    POST   /api/v1/plan/overrides
analyst api    DELETE /api/v1/plan/overrides/{id}
user    api    GET    /api/v1/plan/setpoints
user    api    GET    /api/v1/grid-signals
analyst api    POST   /api/v1/grid-signals
analyst api    DELETE /api/v1/grid-signals
admin   api    GET    /api/v1/grid-signals/inputs
admin   api    PUT    /api/v1/grid-signals/inputs
-       open   POST   /evcc/{key}/optimize/charge-schedule
-       open   GET    /evcc/{key}/optimize/health
user    api    GET    /api/v1/weather
user    api    GET    /api/v1/forecast
user    api    GET    /forecast
user    api    GET    /api/v1/forecast/error
user    api    POST   /api/v1/predict
user    api    GET    /api/v1/explain/{id}
user    api    GET    /api/v1/models
admin   api    POST   /api/v1/models/reload
analyst api    POST   /api/v1/models/train
analyst api    POST   /api/v1/models/train/cancel
admin   api    POST   /api/v1/models/{run}/promote
admin   api    POST   /api/v1/models/roll-back
admin   api    POST   /api/v1/models/pin
analyst api    POST   /api/v1/forecast/refresh
user    api    GET    /api/v1/documents
admin   api    POST   /api/v1/documents
admin   api    DELETE /api/v1/documents/{id}
user    api    GET    /api/v1/documents/{id}
admin   api    PATCH  /api/v1/documents/{id}
admin   api    PATCH  /api/v1/documents/{id}/versions/{version}
user    api    GET    /api/v1/documents/{id}/file
user    api    GET    /api/v1/documents/{id}/marks
user    api    POST   /api/v1/ask
user    api    GET    /api/v1/recommend
user    api    POST   /api/v1/recommend/{decision_id}/feedback
analyst api    GET    /api/v1/recommend/{decision_id}/explain
user    api    POST   /api/v1/events
user    api    GET    /api/v1/recommend/settings
admin   api    PUT    /api/v1/recommend/settings
user    api    GET    /api/v1/recommend/performance
analyst api    GET    /api/v1/recommend/policy
analyst api    GET    /api/v1/recommend/log
user    api    GET    /api/v1/alerts
user    api    GET    /api/v1/alerts/{id}
user    api    POST   /api/v1/alerts/{id}/acknowledge
admin   api    GET    /api/v1/notifications/channels
admin   api    POST   /api/v1/notifications/channels
admin   api    PUT    /api/v1/notifications/channels/{id}
admin   api    DELETE /api/v1/notifications/channels/{id}
admin   api    POST   /api/v1/notifications/channels/{id}/test
admin   api    GET    /api/v1/notifications/recipients
admin   api    POST   /api/v1/notifications/recipients
admin   api    PUT    /api/v1/notifications/recipients/{id}
admin   api    DELETE /api/v1/notifications/recipients/{id}
admin   api    GET    /api/v1/notifications/rules
admin   api    PUT    /api/v1/notifications/rules
admin   api    GET    /api/v1/notifications/messages
user    api    GET    /api/v1/devices
admin   api    GET    /api/v1/devices.yaml
admin   api    POST   /api/v1/devices.yaml
user    api    GET    /api/v1/devices/{id}
admin   api    POST   /api/v1/devices/test
admin   api    POST   /api/v1/devices
admin   api    PATCH  /api/v1/devices/{id}
admin   api    DELETE /api/v1/devices/{id}
admin   api    POST   /api/v1/devices/{id}/credential
admin   api    POST   /api/v1/device-search
admin   api    GET    /api/v1/device-search
admin   api    DELETE /api/v1/device-search
user    api    GET    /api/v1/profiles
user    api    GET    /api/v1/profiles/{name}
user    api    GET    /api/v1/site
admin   api    PUT    /api/v1/site
user    api    GET    /api/v1/meters
user    api    GET    /api/v1/meters/{id}
admin   api    PUT    /api/v1/meters/{id}
admin   api    DELETE /api/v1/meters/{id}
admin   api    GET    /api/v1/people
admin   api    POST   /api/v1/people
admin   api    PATCH  /api/v1/people/{id}
admin   api    DELETE /api/v1/people/{id}
admin   api    DELETE /api/v1/people/{id}/second-factor
admin   api    GET    /api/v1/second-factor
admin   api    PUT    /api/v1/second-factor
user    api    GET    /api/v1/me
user    api    PATCH  /api/v1/me
admin   api    GET    /api/v1/keys
admin   api    POST   /api/v1/keys
admin   api    DELETE /api/v1/keys/{id}
admin   api    GET    /api/v1/audit
admin   api    GET    /api/v1/audit/state
admin   api    GET    /api/v1/audit/export
admin   api    GET    /api/v1/clock
owner   api    POST   /api/v1/clock/believe
admin   api    POST   /api/v1/clock/held/{boot}/release
admin   api    POST   /api/v1/clock/held/{boot}/discard
owner   api    GET    /api/v1/jobs
owner   api    GET    /api/v1/backups
owner   api    POST   /api/v1/backups
owner   api    GET    /api/v1/allowed-hosts
owner   api    POST   /api/v1/allowed-hosts
owner   api    DELETE /api/v1/allowed-hosts/{host}

-       open   GET    /sign-in
-       open   POST   /sign-in
-       open   POST   /sign-in/code
-       open   POST   /sign-out
-       open   GET    /setup
-       open   POST   /setup
-       open   POST   /preferences
user    person GET    /account
user    person POST   /account/password
user    person POST   /account/second-factor/begin
user    person POST   /account/second-factor/confirm
user    person POST   /account/second-factor/codes
user    person POST   /account/second-factor/remove
user    page   GET    /
user    page   GET    /stream
user    page   POST   /now/advice
user    page   GET    /meters
user    page   GET    /meters/{id}
admin   page   GET    /meters/new
admin   page   POST   /meters/new/test
admin   page   POST   /meters/new
admin   page   GET    /meters/new/done
admin   page   GET    /meters/new/search
admin   page   POST   /meters/new/search
admin   page   POST   /meters/new/search/stop
admin   page   GET    /meters/new/virtual
admin   page   POST   /meters/new/virtual
admin   page   GET    /meters/{id}/formula
admin   page   POST   /meters/{id}/formula
admin   page   POST   /meters/{id}/remove
analyst page   GET    /meters/{id}/repair
analyst page   POST   /meters/{id}/repair
user    page   GET    /prices
admin   page   POST   /prices/refresh
user    page   GET    /tariff
admin   page   POST   /tariff
admin   page   POST   /tariff/remove
user    page   GET    /bill
user    page   GET    /bill/line
user    page   GET    /forecasts
user    page   GET    /plan
user    page   POST   /plan/what-if
analyst page   POST   /plan/overrides
analyst page   POST   /plan/overrides/{id}/lift
user    page   GET    /plan/signals
admin   page   GET    /plan/devices/{id}
admin   page   POST   /plan/devices/{id}
admin   page   POST   /plan/devices/{id}/remove
user    page   GET    /ask
user    page   POST   /ask
user    page   GET    /documents
admin   page   POST   /documents
admin   page   POST   /documents/{id}/remove
user    page   GET    /documents/{id}
user    page   GET    /advice
user    page   POST   /advice
admin   page   POST   /advice/settings
user    page   GET    /alerts
user    page   GET    /alerts/{id}
user    page   POST   /alerts/{id}/acknowledge
admin   page   GET    /devices/{id}
admin   page   POST   /devices/{id}
admin   page   POST   /devices/{id}/test
admin   page   POST   /devices/{id}/remove
admin   page   POST   /devices/{id}/points
admin   page   POST   /devices/{id}/points/{point}
admin   page   POST   /demo/start
admin   page   POST   /demo/stop
-       open   GET    /admin
admin   page   GET    /admin/site
admin   page   POST   /admin/site
admin   page   GET    /admin/people
admin   page   POST   /admin/people
admin   page   POST   /admin/people/second-factor
admin   page   POST   /admin/people/{id}
admin   page   POST   /admin/people/{id}/second-factor/remove
admin   page   POST   /admin/people/{id}/remove
admin   page   GET    /admin/keys
admin   page   POST   /admin/keys
admin   page   POST   /admin/keys/{id}/revoke
admin   page   GET    /admin/devices
admin   page   POST   /admin/devices/{id}/credential
admin   page   GET    /admin/notifications
admin   page   POST   /admin/notifications/channels
admin   page   POST   /admin/notifications/channels/{id}
admin   page   POST   /admin/notifications/channels/{id}/remove
admin   page   POST   /admin/notifications/channels/{id}/test
admin   page   POST   /admin/notifications/recipients
admin   page   POST   /admin/notifications/recipients/{id}
admin   page   POST   /admin/notifications/recipients/{id}/remove
admin   page   POST   /admin/notifications/rules
admin   page   GET    /admin/hosts
owner   page   POST   /admin/hosts
owner   page   POST   /admin/hosts/{host}/remove
admin   page   GET    /admin/health
owner   page   POST   /admin/clock
owner   page   GET    /admin/backups
owner   page   POST   /admin/backups
admin   page   GET    /admin/audit
analyst page   GET    /import
analyst page   POST   /import
analyst page   GET    /import/preview
analyst page   POST   /import/load
analyst page   GET    /import/loads/{id}
`;

export const RULES: readonly Rule[] = TABLE.split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => {
    const [least = '', way = '', method = '', path = ''] = line.trim().split(/ +/);
    return {
      ...{ route: `${method} ${path}`, method, path, way: way as Way },
      least: least === '-' ? null : (least as Least),
    };
  });
