//! Tokens of summaries without the tokenizer's table, for the start, which may not wait for it.
//!
//! Common words are one token each; a word that is not known here costs what nonsense of its length costs, so that no name or
//! word of a stranger breaks a budget that was kept with this. Depends on the text alone: what is fitted with it is the same at
//! every start.

use std::{collections::HashSet, sync::LazyLock};

/// Words that are one token after a space, as a test holds.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "abstract access accessibility account accounts action actions activate active activities activity addon address \
    addresses agent agents ai air alarm alarms album albums alert alerts allocation alpha analysis analytics \
    analyzer and animal animals answer app application applications apps archive area article articles artist \
    artists ask asset assets assistant associations atlas attachment attachments attributes audio audit \
    authentication author auto automation available aws azure backup bank bases basic batch beta big bike bikes \
    billing bird birds black blob block blocks blue board boards book branch branches broadcast broadcasts browser \
    bucket buckets budget budgets build builds bus business cafe calculate calculator calendar calendars call calls \
    camera cameras campaign campaigns card cards cart cat catalog categories category cats cell cells center \
    change changes channel channels charge charges chart charts chat check chess chrome chunks citations city class \
    classes cli client clients clinic clock cloud cluster clusters code coding coffee collection collections color \
    colors column columns command commander commands comment comments commit commits communication companies company \
    complex component components conference config configs configuration connection connections console contact \
    contacts container containers content contents context contexts convert cooking coordinates core cost costs \
    country coupon course crawl create credentials credit criteria crop crops css current customer customers \
    dashboard dashboards data database databases dataset datasets date dates db debit debug definitions delivery \
    delta deploy deployment deployments design desktop details dev device devices diagram diagrams dialog dialogs \
    diff differences dimension dimensions direction directions directories directory disk dispatch display dispute \
    distance dns doc docker docs document documentation documents dog dogs domain domains downloads draft drafts \
    dream drive drivers dynamic east edge edit editor elements elevation email emails employee employees endpoint \
    endpoints energy engagements engine engineering entities entity entries entry environment environments equipment \
    error errors event events everything exam examples exams excel execute exercise expand expense expenses \
    explanations export express expression expressions extension external facebook factory facts family farm fast \
    feature features feed feedback fetch field fields file files filter filters finance firewall fish five flags \
    fleet flex flight flights flow folder folders font food forecast forest form format forms four frameworks fuel \
    function functions fund funds game gamma garden gas gates gateway generate generic geo gift git github gmail \
    gold google graph graphql gray green grid group groups guest guests guide gzip harbor hardware health helm help \
    hero history home hooks hospital host hosts hotel house html human hybrid hyper identity image images \
    implementation import incident incidents income index indexes indices infrastructure initiatives inline input \
    insights instagram instance instances instructions insurance integration intents inter interact interaction \
    interface internal internet inventory investment investor invoice invoices ip issue issues item items iterations \
    jewel job jobs journal journals json key keys kitchen knowledge lab label labels labs lake lambda language law \
    layer layout lead leads ledger legacy legal lesson lessons libraries library license light lighthouse limits \
    line link links lint list listing lists loan loans local location locations lock log logistics logs machine \
    magic mail main maintenance management manager manual map mappings maps markdown market marketing master matrix \
    max measures media meeting meetings mega member members memo memory menu menus merchant merge message messages \
    meta metadata method metric metrics micro microsoft migration migrations mind mini mirror mobile mocks mode \
    model models module modules monday money monitor mortgage mountain mouse movie multi museum music name names \
    namespace namespaces nature navigation network networks news node nodes north note notebooks notes notification \
    notifications object objects observations ocean offer office oil omega one open operation operations option \
    options orange orbit order orders organization orientation output over packages page pages panel papers \
    paragraph paragraphs parameters park parking partner parts passenger passengers password patch patient patterns \
    payment payments payroll pdf people performance performances periodic permission permissions person personal pet \
    pets phone photo photos pink pipeline pipelines place places plan planet plans plant plants playback player \
    playlist playlists plaza plugin plugins plus podcast podcasts pods point points policies policy pool port \
    portfolio ports post posts power predictions preference preferences premium prerequisites prescription \
    presentation presentations price prices pricing primary pro problem problems process processes procurement \
    product production products profile profiles program project projects prompt properties property provider \
    providers public pull pump push quality queries query question questions queue quiz quota quote quotes rain \
    range ranges rate rates reaction reactions read reader reason receipt recipe recipes record records recruitment \
    red references refund refunds region registry related relations release releases reminder reminders remote \
    render rental rentals replica replicate repo report reports repositories repository request requests \
    requirements research reservation reserved resource resources response restaurant restaurants result results \
    retail revenue review reviews rich river robot robots role roles room rooms rotations route routes row rows ruby \
    rule rules run runner rust safety salary sales salt sandbox scan scene scenes schedule schedules schema schemas \
    school science score scraping screen screenshot screenshots script scripts sea search searches secondary section \
    sections security seed segment segments self semantic send sensor sequential server servers service services \
    session sessions set settings shards share shared sheet sheets shell shift shifts ship shipping shop shortcut \
    sigma sign signal signals silver simple site sites skills sky slack sleep slide slides small smart snapshot \
    snapshots social software solar solving source sources south space spaces spark speech speed sport sports sprint \
    sql stack staff stage staging star stars state statement static station statistics stats status steel stock \
    stone storage store stores stories storm story strategy stream street structure structured style subscriber \
    subscribers subscription subscriptions summaries summary sun super supplier support survey sustainability swift \
    switch symbols system systems table tables tag tags talent target targets tariff task tasks tax taxes team teams \
    tech template templates tenant terminal test testing tests text texts theater theme themes thing things thinking \
    thoughts thread threads three thunder ticket tickets tiger time timeline tiny to tool tools topic topics tours \
    tower town toy toys track tracks trade traffic train training trans transaction transactions transcript \
    transcripts transfer translation travel tree trees trial trip trips troubleshooting truck trucks tutorial \
    tutorials two type types under unit units unity universe update updates upload url user users validation valley \
    value values variables vectors vehicle vendor version versions video videos view views violet vision visit \
    visitor visitors volume volumes vote votes voucher wallet wallets warehouse watches water wave weather web \
    webhook website websites weight west white wholesale widget wiki wind window wine winter without wolf wood word \
    work workers workflow workflows workspace world write yahoo yard zero zone zones"
        .split_whitespace()
        .collect()
});

/// Products and protocols that a model knows by their name. Two tokens each, after a space and on average.
static PRODUCTS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "airbnb airtable algolia amplitude ansible apify argocd arxiv asana atlassian auth0 aws azure bigquery bitbucket \
    bluesky brave browserstack calendar canva chroma chrome circleci clickhouse cloudflare cloudformation cloudwatch \
    confluence databricks datadog devtools digitalocean discord docker documentation drive dropbox duckdb duckduckgo \
    dynamodb dynatrace elasticsearch email eslint excel facebook fetch figma filesystem firebase gcloud git github \
    gitlab gmail godot google grafana hostinger hubspot instagram intercom jenkins jira kafka kubectl kubernetes \
    launchdarkly linear linkedin mailchimp mapbox maps mermaid metabase microsoft miro mixpanel mongodb mysql neo4j \
    netlify notion obsidian openai opensearch outlook pagerduty pandoc paypal perplexity pinecone playwright \
    postgres postgresql postman powerpoint prometheus puppeteer pypi quickbooks reddit redis salesforce search \
    segment sendgrid sentry shopify slack snowflake sonarqube spotify sqlite ssh stripe supabase teams telegram \
    terraform time todoist trello twilio twitter unity vercel weather whatsapp wikipedia word wordpress workspace \
    xero yahoo youtube zapier zendesk zoom zotero"
        .split_whitespace()
        .collect()
});

/// Whether a model knows a product or a protocol by this name.
pub(super) fn is_product(word: &str) -> bool {
    PRODUCTS.contains(word)
}

/// Tokens of a text in o200k_base, from above: for lists of names and short English phrases, and for nothing else. Of real
/// summaries it is 1.0 to 1.2 times the count.
#[must_use]
pub fn estimate(text: &str) -> usize {
    halves(text).div_ceil(2)
}

/// The same in half tokens.
fn halves(text: &str) -> usize {
    let mut total = 0;
    let mut after_space = true;
    let bytes = text.as_bytes();
    let run = |from: usize, of: fn(&u8) -> bool| bytes[from..].iter().take_while(|byte| of(byte)).count();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let length = match byte {
            b' ' => {
                after_space = true;
                at += 1;
                continue;
            }
            _ if byte.is_ascii_alphabetic() => {
                let length = run(at, u8::is_ascii_alphabetic);
                total += word(&text[at..at + length], after_space);
                length
            }
            _ if byte.is_ascii_digit() => {
                let length = run(at, u8::is_ascii_digit);
                // Three digits are a token, and so is a space before them.
                total += 2 * (length.div_ceil(3) + usize::from(after_space));
                length
            }
            _ if byte.is_ascii() => {
                total += 2;
                1
            }
            // A character of two bytes or more: a token for each two bytes, or nearly.
            _ => {
                total += 2;
                1
            }
        };
        at += length;
        after_space = false;
    }
    total
}

/// What a run of letters costs, in half tokens.
fn word(word: &str, after_space: bool) -> usize {
    let lower = word.to_ascii_lowercase();
    let known = COMMON.contains(lower.as_str());
    match (known, after_space, word.len()) {
        (true, true, _) | (true, false, 1..=4) | (_, _, 1) => 2,
        (true, false, _) => 3,
        _ if is_product(&lower) => 4 + usize::from(!after_space),
        (false, _, letters) if is_sayable(&lower) => (letters * 17).div_ceil(20).max(2) + usize::from(!after_space),
        (false, _, letters) => (letters * 13).div_ceil(10) + 1 + usize::from(!after_space),
    }
}

/// Whether a word looks like one: a vowel, no long run of consonants, and no letters that stand beside each other in no word.
fn is_sayable(word: &str) -> bool {
    if !word.contains(['a', 'e', 'i', 'o', 'u', 'y']) {
        return false;
    }
    let mut run = 0;
    let mut before = ' ';
    for letter in word.chars() {
        run = if matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u' | 'y') { 0 } else { run + 1 };
        if run > 3
            || (before == 'q' && letter != 'u')
            || (matches!(before, 'j' | 'v' | 'z' | 'x' | 'k') && matches!(letter, 'q' | 'x' | 'z' | 'j' | 'v'))
        {
            return false;
        }
        before = letter;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::economy::tokens::count;

    #[test]
    fn a_common_word_is_one_token_and_a_product_two() {
        let dearer: Vec<&&str> = COMMON.iter().filter(|word| count(&format!(" {word}")) > 1).collect();
        assert!(dearer.is_empty(), "{dearer:?}");
        let costs: Vec<usize> = PRODUCTS.iter().map(|word| count(&format!(" {word}"))).collect();
        assert!(costs.iter().all(|&cost| cost <= 3) && costs.iter().sum::<usize>() <= 2 * costs.len(), "{costs:?}");
    }

    #[test]
    fn an_estimate_of_summary_text_is_near_and_from_above() {
        for text in [
            "github (26): issues, pull requests, code search",
            "postgres (9): queries, tables, schemas\nslack (12): messages, channels, users",
            "airbnb airtable amap analytics argocd arxiv asana atlassian azure-devops basic-memory bigquery bitbucket blender",
            "airbnb, airtable, amap, analytics, argocd, arxiv, asana, atlassian, azure-devops, basic-memory",
        ] {
            let (exact, rough) = (count(text), estimate(text));
            assert!(rough >= exact && rough * 10 <= exact * 15 + 10, "{text}: {exact} {rough}");
        }
    }

    #[test]
    fn nonsense_is_not_cheaper_than_it_is() {
        let mut seed = 12_345_u64;
        let mut random = move |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % below as u64).unwrap()
        };
        for letters in 2..20 {
            for alphabets in [
                ["bcdfglmnprst", "aeiou"],
                ["abcdefghijklmnopqrstuvwxyz"; 2],
                ["qxzjkv"; 2],
                ["abcdefghijklmnopqrstuvwxyz0123456789"; 2],
                ["0123456789"; 2],
            ] {
                let words: Vec<String> = (0..60)
                    .map(|_| {
                        let letter = |at: usize| alphabets[at % 2].as_bytes();
                        (0..letters).map(|at| char::from(letter(at)[random(letter(at).len())])).collect()
                    })
                    .collect();
                for between in [" ", "-", ", ", "_"] {
                    let text = words.join(between);
                    let (exact, rough) = (count(&text), estimate(&text));
                    assert!(rough >= exact, "{alphabets:?} {letters} {between:?}: {exact} {rough}");
                }
            }
        }
    }
}
