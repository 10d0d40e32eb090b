// Short names of the most common emoji. Anything else written as :name: is shown as it was written.

const TABLE = `
grinning 😀|smiley 😃|smile 😄|grin 😁|laughing 😆|satisfied 😆|sweat_smile 😅|joy 😂|rolling_on_the_floor_laughing 🤣|slightly_smiling_face 🙂|upside_down_face 🙃|wink 😉|blush 😊|innocent 😇|heart_eyes 😍|star-struck 🤩|kissing_heart 😘|yum 😋|stuck_out_tongue 😛|zany_face 🤪|hugging_face 🤗|thinking_face 🤔|face_with_raised_eyebrow 🤨|neutral_face 😐|expressionless 😑|no_mouth 😶|smirk 😏|unamused 😒|face_with_rolling_eyes 🙄|grimacing 😬|relieved 😌|pensive 😔|sleepy 😪|sleeping 😴|mask 😷|face_with_thermometer 🤒|nauseated_face 🤢|exploding_head 🤯|partying_face 🥳|sunglasses 😎|nerd_face 🤓|confused 😕|worried 😟|slightly_frowning_face 🙁|open_mouth 😮|hushed 😯|astonished 😲|flushed 😳|pleading_face 🥺|fearful 😨|cold_sweat 😰|cry 😢|sob 😭|scream 😱|tired_face 😫|yawning_face 🥱|triumph 😤|rage 😡|angry 😠|skull 💀|robot_face 🤖|ghost 👻
wave 👋|raised_hand ✋|ok_hand 👌|v ✌️|crossed_fingers 🤞|point_left 👈|point_right 👉|point_up_2 👆|point_down 👇|point_up ☝️|+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|fist ✊|facepunch 👊|clap 👏|raised_hands 🙌|open_hands 👐|handshake 🤝|pray 🙏|writing_hand ✍️|muscle 💪|eyes 👀|brain 🧠|shrug 🤷|man-shrugging 🤷‍♂️|woman-shrugging 🤷‍♀️|face_palm 🤦|technologist 🧑‍💻|bust_in_silhouette 👤|busts_in_silhouette 👥|speech_balloon 💬|thought_balloon 💭|zzz 💤
heart ❤️|orange_heart 🧡|yellow_heart 💛|green_heart 💚|blue_heart 💙|purple_heart 💜|broken_heart 💔|sparkles ✨|star ⭐|star2 🌟|dizzy 💫|boom 💥|fire 🔥|zap ⚡|sunny ☀️|partly_sunny ⛅|cloud ☁️|rain_cloud 🌧️|snowflake ❄️|rainbow 🌈|ocean 🌊|droplet 💧|seedling 🌱|evergreen_tree 🌲|four_leaf_clover 🍀|sunflower 🌻|earth_africa 🌍|earth_americas 🌎|earth_asia 🌏|new_moon 🌑|full_moon 🌕|crescent_moon 🌙|sunrise 🌅
coffee ☕|tea 🍵|beer 🍺|beers 🍻|champagne 🍾|cake 🍰|birthday 🎂|cookie 🍪|pizza 🍕|apple 🍎|taco 🌮|tada 🎉|confetti_ball 🎊|balloon 🎈|gift 🎁|trophy 🏆|medal 🏅|first_place_medal 🥇|dart 🎯|rocket 🚀|airplane ✈️|car 🚗|bike 🚲|ship 🚢|construction 🚧|rotating_light 🚨|traffic_light 🚦|vertical_traffic_light 🚦
computer 💻|desktop_computer 🖥️|keyboard ⌨️|iphone 📱|telephone_receiver 📞|electric_plug 🔌|battery 🔋|bulb 💡|flashlight 🔦|mag 🔍|mag_right 🔎|microscope 🔬|satellite 🛰️|gear ⚙️|wrench 🔧|hammer 🔨|hammer_and_wrench 🛠️|toolbox 🧰|nut_and_bolt 🔩|link 🔗|paperclip 📎|pushpin 📌|round_pushpin 📍|scissors ✂️|lock 🔒|unlock 🔓|key 🔑|shield 🛡️|package 📦|mailbox 📫|inbox_tray 📥|outbox_tray 📤|email ✉️|envelope ✉️|incoming_envelope 📨|memo 📝|pencil 📝|pencil2 ✏️|page_facing_up 📄|page_with_curl 📃|clipboard 📋|bookmark 🔖|bookmark_tabs 📑|book 📖|books 📚|notebook 📓|ledger 📒|newspaper 📰|file_folder 📁|open_file_folder 📂|card_index_dividers 🗂️|file_cabinet 🗄️|wastebasket 🗑️|calendar 📆|date 📅|spiral_calendar_pad 🗓️|bar_chart 📊|chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|moneybag 💰|credit_card 💳|scales ⚖️|label 🏷️|bell 🔔|no_bell 🔕|loudspeaker 📢|mega 📣|movie_camera 🎥|camera 📷|headphones 🎧|art 🎨|jigsaw 🧩|game_die 🎲
watch ⌚|alarm_clock ⏰|stopwatch ⏱️|timer_clock ⏲️|hourglass ⌛|hourglass_flowing_sand ⏳|clock1 🕐|clock9 🕘|arrow_up ⬆️|arrow_down ⬇️|arrow_left ⬅️|arrow_right ➡️|arrow_upper_right ↗️|arrow_lower_right ↘️|arrows_counterclockwise 🔄|repeat 🔁|leftwards_arrow_with_hook ↩️|fast_forward ⏩|arrow_forward ▶️|double_vertical_bar ⏸️|heavy_check_mark ✔️|white_check_mark ✅|ballot_box_with_check ☑️|x ❌|negative_squared_cross_mark ❎|heavy_plus_sign ➕|heavy_minus_sign ➖|question ❓|grey_question ❔|exclamation ❗|heavy_exclamation_mark ❗|grey_exclamation ❕|bangbang ‼️|warning ⚠️|no_entry ⛔|no_entry_sign 🚫|octagonal_sign 🛑|information_source ℹ️|recycle ♻️|100 💯|sos 🆘|new 🆕|ok 🆗|red_circle 🔴|large_orange_circle 🟠|large_yellow_circle 🟡|large_green_circle 🟢|large_blue_circle 🔵|blue_circle 🔵|large_purple_circle 🟣|large_brown_circle 🟤|white_circle ⚪|black_circle ⚫|large_red_square 🟥|large_orange_square 🟧|large_yellow_square 🟨|large_green_square 🟩|large_blue_square 🟦|large_purple_square 🟪|white_large_square ⬜|black_large_square ⬛|small_orange_diamond 🔸|small_blue_diamond 🔹|large_orange_diamond 🔶|large_blue_diamond 🔷|small_red_triangle 🔺|small_red_triangle_down 🔻|black_small_square ▪️|white_small_square ▫️|checkered_flag 🏁|triangular_flag_on_post 🚩|waving_white_flag 🏳️|crossed_flags 🎌|one 1️⃣|two 2️⃣|three 3️⃣|four 4️⃣|five 5️⃣|speaking_head_in_silhouette 🗣️|dog 🐶|cat 🐱|bug 🐛|ant 🐜|bee 🐝|turtle 🐢|snail 🐌|owl 🦉|unicorn_face 🦄|dragon 🐉|whale 🐳|penguin 🐧
`;

export const EMOJI = new Map(
  TABLE.trim().split(/\n|\|/).map((entry) => {
    const gap = entry.lastIndexOf(" ");
    return [entry.slice(0, gap), entry.slice(gap + 1)];
  }),
);

/** Offered first when reacting. */
export const QUICK = ["+1", "white_check_mark", "eyes", "tada", "heart", "pushpin", "pray", "rocket"];

/** Whether this browser has pictures for emoji at all; some computers have no letters for them. */
function hasEmoji() {
  const ink = (text) => {
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    context.font = "16px sans-serif";
    context.fillText(text, 0, 20);
    return context.getImageData(0, 0, 40, 30).data.join();
  };
  return ink("🎉") !== ink("\u{10fffd}");
}

/** False where emoji would be shown as empty boxes: their names are shown instead. */
export const drawable = typeof document === "undefined" || hasEmoji();

const TONES = { 2: "🏻", 3: "🏼", 4: "🏽", 5: "🏾", 6: "🏿" };

/** The character of a short name (also "wave::skin-tone-3"), or null when it is not in the table or cannot be shown. */
export function emojiFor(name) {
  if (!drawable) return null;
  const [base, tone] = name.split("::skin-tone-");
  const found = EMOJI.get(base);
  return found ? found + (TONES[tone] ?? "") : null;
}

/** The table's names that hold `words`, those that begin with it first. */
export function searchEmoji(words, limit = 96) {
  const wanted = words.toLowerCase().replaceAll(":", "").replaceAll(" ", "_");
  const names = [...new Map([...EMOJI].map(([name, sign]) => [sign, name]).reverse()).values()].reverse();
  const hits = names.filter((name) => name.includes(wanted));
  return hits.sort((a, b) => b.startsWith(wanted) - a.startsWith(wanted)).slice(0, limit);
}

const NAME = /:([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):/g;

/** `text` with the short names it holds turned into characters. */
export const withEmoji = (text) => text.replace(NAME, (whole, name) => emojiFor(name) ?? whole);
