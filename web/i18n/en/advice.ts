/** Advice. */
export const adviceTexts = {
  'advice.title': 'Advice',
  'advice.now': 'Worth your time now',
  'advice.none_title': 'Nothing to do right now',
  'advice.none':
    'Recommendations appear here when there is something to gain. They come from prices, forecasts and the state of your meters, and get better with your answers.',
  'advice.saves': 'Saves about',
  'advice.without_saving': 'No saving in money',
  'advice.chosen': 'Chosen with a probability of {percent}. Your answers change what comes first.',
  'advice.earlier': 'What came of earlier ones',
  'advice.earlier_none': 'Your answers will stand here.',
  'advice.accepted': 'accepted',
  'advice.dismissed': 'declined',
  'advice.snoozed': 'put off',
  'advice.open': 'no answer',
  'advice.share': '{accepted} of {answered} answered ones accepted',
} as const;
