/**
 * Words that turn the sense of a sentence round: negation and exception, duty and permission, bounds and directions.
 * A sentence may not say one of them that its source does not say, and may not leave out a negation or an exception.
 */
type Sense =
  | 'negation'
  | 'exception'
  | 'duty'
  | 'permission'
  | 'at least'
  | 'at most'
  | 'more'
  | 'less'
  | 'increase'
  | 'decrease'
  | 'before'
  | 'after'
  | 'always'
  | 'exempt';

const B = '(?<![\\p{L}\\p{N}])';
const E = '(?![\\p{L}\\p{N}])';
const words = (list: string) => new RegExp(`${B}(?:${list})${E}`, 'iu');

const SENSES: Record<Sense, RegExp> = {
  negation: words(
    "not|no|never|neither|nor|none|nobody|without|cannot|\\p{L}+n[’']t|prohibited|forbidden|nicht|kein(?:e[nmrs]?)?|niemals|nie|niemand(?:em|en)?|weder|ohne|keinesfalls|keineswegs|verboten|unzulässig(?:e[nmrs]?)?|untersagt|nichts",
  ),
  exception: words(
    'except|unless|excluding|other than|notwithstanding|apart from|außer|ausgenommen|mit ausnahme|es sei denn|abweichend|unbeschadet|ausnahmsweise|soweit nicht|sofern nicht|wenn nicht',
  ),
  duty: words(
    'must|shall|required|obliged|obligated|has to|have to|obligation|mandatory|muss|müssen|musst?en|soll|sollen|verpflichtet|pflicht|pflichten|zwingend|(?:ist|sind|hat|haben)\\s[^.;]{0,200}?\\bzu(?:\\s\\p{L}+(?:en|n)|\\p{L}+zu\\p{L}+en)|\\p{L}{2,}zu\\p{L}+en',
  ),
  permission: words(
    'may|can|allowed|permitted|entitled|optional|might|could|darf|dürfen|kann|können|berechtigt|erlaubt|zulässig|befugt',
  ),
  'at least': words('at least|minimum|not less than|no less than|mindestens|wenigstens|mindest\\p{L}*|minimal'),
  'at most': words(
    'at most|maximum|up to|not more than|no more than|not exceed|höchstens|maximal|höchst(?:betrag|wert|grenze|satz|dauer)\\p{L}*|bis zu|nicht mehr als',
  ),
  more: words(
    'more|over|above|exceed|exceeds|exceeding|greater|higher|larger|longer|mehr|über|oberhalb|übersteigt|übersteigen|überschreitet|überschreiten|größer(?:e[nmrs]?)?|höher(?:e[nmrs]?)?|länger',
  ),
  less: words(
    'less|under|below|fewer|smaller|lower|shorter|weniger|unter|unterhalb|unterschreitet|unterschreiten|kleiner(?:e[nmrs]?)?|geringer(?:e[nmrs]?)?|niedriger(?:e[nmrs]?)?|kürzer',
  ),
  increase: words('increas\\p{L}*|raise[sd]?|rise[sn]?|erhöh\\p{L}*|steig\\p{L}*|anheb\\p{L}*'),
  decrease: words(
    'decreas\\p{L}*|reduc\\p{L}*|lower(?:s|ed)|verringer\\p{L}*|reduzier\\p{L}*|senk\\p{L}*|gesenkt|ermäßig\\p{L}*|verminder\\p{L}*|vermindert',
  ),
  before: words('before|prior|no later than|until|by|vor|spätestens|bis|zuvor'),
  after: words('after|following|from|since|nach|ab|seit|nachdem'),
  always: words(
    'always|all|every|each|any|only|solely|exclusively|immer|stets|alle[nmrs]?|jede[nmrs]?|nur|ausschließlich|lediglich|sämtliche[nrs]?',
  ),
  exempt: words('exempt|exempted|exemption|befreit|befreiung|steuerfrei|umlagefrei'),
};

/** Of these the source must have said what the sentence says; the sentence may say less. */
const SAID: readonly Sense[] = [
  ...([
    'duty',
    'permission',
    'at least',
    'at most',
    'more',
    'less',
    'increase',
    'decrease',
    'always',
    'exempt',
  ] as const),
];
/** These must be in both or in neither. */
const BOTH: readonly Sense[] = ['negation', 'exception', 'exempt'];

/** The first sense in which a sentence differs from its source, or null. */
export function polarityFault(sentence: string, source: string): Sense | null {
  const said = (text: string, sense: Sense) => SENSES[sense].test(text);
  const wrong = [
    ...BOTH.filter((sense) => said(sentence, sense) !== said(source, sense)),
    ...SAID.filter((sense) => said(sentence, sense) && !said(source, sense)),
  ];
  // `vor` and `nach` mean many things: only a time that is turned round counts.
  const turned =
    said(sentence, 'before') && !said(sentence, 'after') && !said(source, 'before') && said(source, 'after')
      ? 'before'
      : said(sentence, 'after') && !said(sentence, 'before') && !said(source, 'after') && said(source, 'before')
        ? 'after'
        : null;
  return wrong[0] ?? turned;
}

/** Whether a word alone decides to what a number belongs (`über 100 kW` is not `bis 100 kW`). */
export function turnsSense(word: string): boolean {
  return PARTS_OF_BOUNDS.has(word) || Object.values(SENSES).some((pattern) => pattern.test(word));
}
const PARTS_OF_BOUNDS = new Set(['most', 'least', 'up']);
