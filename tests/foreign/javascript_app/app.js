// A small Slack app as its author would write it for real Slack; only the API address comes from outside.
const { App } = require('@slack/bolt');

const app = new App({
  token: process.env.SLACK_BOT_TOKEN,
  appToken: process.env.SLACK_APP_TOKEN,
  socketMode: true,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL ?? 'https://slack.com/api/' },
});

const plain = (text) => ({ type: 'plain_text', text });

const form = (channel) => ({
  type: 'modal',
  callback_id: 'proposal',
  private_metadata: channel,
  title: plain('Lunch'),
  submit: plain('Propose'),
  blocks: [
    {
      type: 'input',
      block_id: 'place',
      label: plain('Where?'),
      element: { type: 'plain_text_input', action_id: 'name' },
    },
  ],
});

const poll = (place, count) => [
  { type: 'section', text: { type: 'mrkdwn', text: `*${place}*: ${count} coming` } },
  {
    type: 'actions',
    elements: [{ type: 'button', action_id: 'join', text: plain('Me too'), value: `${count}|${place}` }],
  },
];

app.command('/lunch', async ({ ack, command, client }) => {
  if (command.text) {
    await ack(`You proposed ${command.text}`);
    return;
  }
  await ack();
  await client.views.open({ trigger_id: command.trigger_id, view: form(command.channel_id) });
});

app.shortcut('propose', async ({ ack, shortcut, client }) => {
  await ack();
  await client.views.open({ trigger_id: shortcut.trigger_id, view: form('') });
});

app.view('proposal', async ({ ack, view, client }) => {
  const place = view.state.values.place.name.value;
  if (place === 'nowhere') {
    await ack({ response_action: 'errors', errors: { place: 'That is no place.' } });
    return;
  }
  await ack();
  await client.chat.postMessage({
    channel: view.private_metadata,
    text: `Lunch at ${place}`,
    blocks: poll(place, 1),
  });
});

app.action('join', async ({ ack, action, respond }) => {
  await ack();
  const [count, place] = action.value.split('|');
  await respond({ text: `Lunch at ${place}`, blocks: poll(place, Number(count) + 1), replace_original: true });
});

app.event('app_mention', async ({ event, say }) => {
  await say({ text: `Hungry, <@${event.user}>?`, thread_ts: event.ts });
});

app.event('app_home_opened', async ({ event, client }) => {
  const blocks = [{ type: 'header', text: plain('Lunch is at noon') }];
  await client.views.publish({ user_id: event.user, view: { type: 'home', blocks } });
});

app.start();
