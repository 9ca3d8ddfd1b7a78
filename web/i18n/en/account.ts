/** One's own account, the second factor, and the state of the audit log. */
export const accountTexts = {
  'sign_in.code_title': 'One-time code',
  'sign_in.code_lead': 'Your account has a second factor. Open the authenticator app on your phone.',
  'sign_in.code': 'Code',
  'sign_in.code_hint': 'Six digits, new every 30 seconds. Without the phone: one of your recovery codes.',
  'sign_in.code_wrong': 'The code is wrong, was used before, or this sign-in took too long.',
  'sign_in.code_lost':
    'The box lost the key with which it checks the codes of your app: it was restored without its keys. Sign in with one of your recovery codes, then set the second factor up anew. Without one: an admin removes your second factor under Admin, People, or on the box itself with ./luna user reset-second-factor and your name.',
  'sign_in.code_back': 'Begin again',

  'account.title': 'Your account',
  'account.password_title': 'Password',
  'account.present': 'Present password',
  'account.new': 'New password',
  'account.again': 'New password again',
  'account.password_hint': 'At least 10 characters. A new one signs you out everywhere else.',
  'account.password_save': 'Change the password',
  'account.saved': 'Saved. You were signed out everywhere else.',
  'account.wrong_password': 'The present password is wrong.',
  'account.wait': 'Too many wrong tries. Try again in {seconds} {seconds|second|seconds}.',
  'account.by_key': 'You came with an API key: only people have an account.',
  'account.code_title': 'Second factor',
  'account.code_off':
    'With a second factor a password alone opens nothing: when you sign in, an app on your phone shows a code that you type in.',
  'account.code_needed': 'Your role needs a second factor. Please set it up now; then you can go on.',
  'account.code_begin': 'Set it up',
  'account.code_scan':
    'Scan this picture with an authenticator app (Aegis, Google Authenticator, 2FAS and others), or type the secret into it.',
  'account.code_picture': 'Picture for the authenticator app',
  'account.code_secret': 'Secret',
  'account.code_account': 'Account',
  'account.code_kind': 'Kind',
  'account.code_kind_text': 'time-based, 6 digits, 30 seconds',
  'account.code_first': 'Code that the app shows now',
  'account.code_confirm': 'Switch it on',
  'account.code_wrong': 'The code does not match. Phone and box must agree on the time to half a minute.',
  'account.code_on': 'On since {when}.',
  'account.code_lost':
    'The box lost the key with which it checks the codes of your app. Switch the second factor off and set it up anew.',
  'account.code_left': '{n} of 10 recovery {n|code is|codes are} left.',
  'account.code_renew': 'New recovery codes',
  'account.code_remove': 'Switch it off',
  'account.code_confirm_with': 'Confirm with your present password.',
  'account.codes_title': 'Your recovery codes',
  'account.codes_lead':
    'Each signs you in once when the phone is gone. Print them or write them down, and keep them apart from the phone.',
  'account.codes_copy': 'Recovery codes',

  'people.second_factor': 'second factor',
  'people.second_factor_reset': 'Remove the second factor of {name}',
  'people.second_factor_reset_short': 'Remove the second factor',
  'people.second_factor_reset_ask':
    'Remove the second factor of {name}? They are signed out everywhere and sign in with the password alone until they set up a new one.',
  'people.second_factor_reset_yes': 'Yes, remove it',
  'people.demand_title': 'Who needs a second factor',
  'people.demand_lead':
    'People of these roles can do nothing until they have set one up. It holds at once, also for those who are signed in.',
  'people.demand_save': 'Save',

  'audit.chain_ok': 'Complete and unchanged: {n} {n|entry|entries}, each sealed with the one before.',
  'audit.chain_signed': 'Signed by the box up to entry {id}, {when}.',
  'audit.chain_unsigned': 'Not signed yet.',
  'audit.chain_accepted':
    'Entries up to {through} are signed with another key, which the box no longer has; {actor} accepted that with entry {entry}, {when}.',
  'audit.chain_other_key': 'Entries up to {through} are signed with another key than the one of this box.',
  'audit.chain_other_key_remedy':
    'If the box was restored without its keys, an admin accepts that on the box: ./luna audit accept-key. Otherwise somebody put another key in the place of the former one.',
  'audit.chain_broken': 'The audit log was tampered with or damaged.',
  'audit.chain_remedy':
    'Keep a copy of the box’s folder as it is, find out who had access to its disk, and compare with the last backup: ./luna audit verify',
  'audit.export': 'Export with hashes',
  'act.accept audit key': 'accepted that older entries were signed with another key than {object}',
  'act.set up second factor': 'set up a second factor for {object}',
  'act.remove second factor': 'switched off the second factor of {object}',
  'act.reset second factor': 'removed the second factor of {object}',
  'act.renew recovery codes': 'made new recovery codes for {object}',
  'act.demand second factor': 'set who needs a second factor: {object}',
  'detail.roles': 'roles',
} as const;
