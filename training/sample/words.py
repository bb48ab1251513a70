"""The words of the sample's grammar as tables: a few hundred, written for it.

Commonest first in each group, `_` for a space inside a word. Several English words may share
a Japanese one, never the other way round within a context. No Japanese noun or name holds a
kanji numeral, so that numbers can be told in a rendered text.
"""

__all__ = ["ACTIONS", "ADJECTIVES", "NAMES", "NOUNS", "PLACES"]

# category, then english[/plural] japanese counter[:measure]   ("-" is no counter)
NOUNS = """
human: child/children 子供 人; woman/women 女性 人; man/men 男性 人; girl 少女 人; boy 少年 人
profession: teacher 先生 人; student 学生 人; doctor 医者 人; farmer 農民 人;
    writer 作家 人; nurse 看護師 人; painter 画家 人; engineer 技術者 人; journalist 記者 人;
    carpenter 大工 人; fisherman/fishermen 漁師 人; scientist 科学者 人; lawyer 弁護士 人;
    merchant 商人 人; soldier 兵士 人; musician 音楽家 人
kin: friend 友人 人; mother 母 -; father 父 -; older_brother 兄 -; younger_sister 妹 -;
    grandmother 祖母 -; uncle おじ -; aunt おば -; daughter 娘 人; son 息子 人; older_sister 姉 -;
    younger_brother 弟 -; grandfather 祖父 -; cousin いとこ 人
animal: dog 犬 匹; cat 猫 匹; horse 馬 頭; bird 鳥 羽; cow 牛 頭; rabbit うさぎ 匹; monkey 猿 匹;
    bear 熊 頭; wolf/wolves 狼 匹; elephant 象 頭; fox 狐 匹
food: apple りんご 個; egg 卵 個; peach 桃 個; potato/potatoes じゃがいも 個; orange みかん 個;
    tomato/tomatoes トマト 個; onion 玉ねぎ 個; carrot にんじん 本; banana バナナ 本;
    cake ケーキ 個
dish: rice ご飯 杯:bowl; soup スープ 杯:bowl; bread パン 枚:slice; meat 肉 枚:slice;
    cheese チーズ 枚:slice
drink: tea お茶 杯:cup; coffee コーヒー 杯:cup; water 水 杯:glass; milk 牛乳 本:bottle;
    wine ワイン 本:bottle; juice ジュース 杯:glass
writing: letter 手紙 通; book 本 冊; report 報告書 通; novel 小説 冊; poem 詩 編; article 記事 本
text: dictionary 辞書 冊; magazine 雑誌 冊; newspaper 新聞 部; notebook ノート 冊
picture: map 地図 枚; photograph 写真 枚; painting 絵 枚
goods: ticket 切符 枚; umbrella 傘 本; bag かばん 個; key 鍵 本; hat 帽子 個; chair 椅子 脚;
    plate 皿 枚; cup コップ 個; knife/knives ナイフ 本; pen ペン 本; pencil 鉛筆 本; desk 机 台;
    table テーブル 台; ring 指輪 個; doll 人形 体; mirror 鏡 枚; stamp 切手 枚
clothes: coat コート 着; shirt シャツ 枚; dress ドレス 着; sweater セーター 枚
plant: flower 花 本; tree 木 本; rose ばら 本
machine: car 車 台; bicycle 自転車 台; camera カメラ 台; computer コンピューター 台;
    radio ラジオ 台; truck トラック 台; clock 時計 台; telephone 電話 台
vessel: ship 船 隻; boat ボート 隻
building: house 家 軒; bridge 橋 本; temple 寺 -; castle 城 -; tower 塔 -; church 教会 -;
    museum 博物館 -; shop 店 軒; restaurant レストラン 軒
opening: door ドア -; window 窓 -; gate 門 -; box 箱 個
song: song 歌 曲
film: film 映画 本
instrument: piano ピアノ 台; guitar ギター 本; flute 笛 本; violin バイオリン -
subject: history 歴史 -; English 英語 -; music 音楽 -; mathematics 数学 -; law 法律 -;
    chemistry 化学 -; French フランス語 -; art 美術 -; economics 経済学 -
sport: tennis テニス -; soccer サッカー -; baseball 野球 -
"""

# english[/comparative] japanese class categories; class: i, na, no (attributive only)
ADJECTIVES = """
old/older 古い i writing,text,picture,goods,clothes,machine,vessel,building,opening,instrument
new/newer 新しい i writing,text,picture,goods,clothes,machine,vessel,building,film,song
small/smaller 小さい i picture,goods,animal,food,machine,vessel,building,opening,plant
big/bigger 大きい i picture,goods,animal,food,machine,vessel,building,opening,plant
beautiful/- 美しい i picture,goods,clothes,building,plant,song,film
expensive/- 高い i goods,clothes,machine,instrument,vessel
cheap/cheaper 安い i goods,clothes,machine,instrument
red/redder 赤い i goods,clothes,machine,plant,opening
white/whiter 白い i clothes,animal,plant,building,vessel
black/blacker 黒い i goods,clothes,animal,machine
blue/bluer 青い i goods,clothes,machine,vessel
heavy/heavier 重い i goods,machine,opening,instrument
long/longer 長い i writing,film,song
short/shorter 短い i writing,song
interesting/- 面白い i writing,text,film,subject
difficult/- 難しい i writing,song,subject
important/- 重要な na writing,picture,subject
strange/- 不思議な na picture,goods,animal,film,song,writing
valuable/- 貴重な na picture,goods,text,instrument
famous/- 有名な na person,building,picture,song,film
quiet/quieter 静かな na person,animal
young/younger 若い i person
kind/kinder 親切な na person
busy/busier 忙しい i person
wise/wiser 賢い i person,animal
strong/stronger 強い i person,animal
strict/stricter 厳しい i person
honest/- 正直な na person
rich/richer 裕福な na person
delicious/- おいしい i food,dish,drink
sweet/sweeter 甘い i food
fresh/fresher 新鮮な na food
cold/colder 冷たい i drink,dish
hot/hotter 熱い i drink,dish
foreign/- 外国の no person,text,machine,song,film,goods
wooden/- 木の no opening,vessel,building
"""

# english preposition japanese
PLACES = """
 the_station at 駅; the_park in 公園; the_library at 図書館; the_hospital at 病院;
 the_school at 学校; Kyoto in 京都; Tokyo in 東京; the_village in 村; the_market at 市場;
 Osaka in 大阪; the_hotel at ホテル; the_office at 事務所; the_garden in 庭; London in ロンドン;
 Paris in パリ; the_kitchen in 台所; the_harbor at 港; the_university at 大学; Nara in 奈良;
 the_bank at 銀行; the_factory at 工場; the_airport at 空港; the_beach on 海岸; Kobe in 神戸;
 Berlin in ベルリン; the_farm on 農場; the_theater at 劇場; the_island on 島; Nagoya in 名古屋;
 Rome in ローマ; the_forest in 森; Sapporo in 札幌; the_mountain on 山; Hiroshima in 広島;
 Canada in カナダ; Egypt in エジプト; Brazil in ブラジル; Germany in ドイツ
"""

# english japanese
NAMES = """
 Tanaka 田中さん; Suzuki 鈴木さん; Hanako 花子; Sato 佐藤さん; Ken 健; Yamada 山田さん;
 Anna アンナ; Ito 伊藤さん; Tom トム; Nakamura 中村さん; Yumi 由美; Kobayashi 小林さん;
 Mary メアリー; Kato 加藤さん; Taro 太郎; Yoshida 吉田さん; Peter ピーター; Watanabe 渡辺さん;
 Keiko 恵子; Maria マリア; Matsumoto 松本さん; Inoue 井上さん; Makoto 誠; Kimura 木村さん;
 Paul ポール; Shimizu 清水さん
"""

# base past participle japanese class objects particle agent flags
# class: 5 godan, 1 ichidan, s suru. A base "look+for" takes its object behind "for".
# objects: categories of nouns; GIVE takes a thing and a person, GOAL and CITY a place, NONE none.
# agent of the passive: y によって, n に, - no passive.
# flags: x no "was ...ing", u not done on purpose.
ACTIONS = """
buy bought bought 買う 5 goods,clothes,machine,food,text,picture,writing,instrument,dish,drink を -
write wrote written 書く 5 writing を y
sell sold sold 売る 5 goods,clothes,machine,text,picture,instrument,vessel を -
make made made 作る 5 dish,clothes,goods を y
see saw seen 見る 1 person,animal,film,building,picture を - x
find found found 見つける 1 goods,text,animal,machine を y x
eat ate eaten 食べる 1 food,dish を -
drink drank drunk 飲む 5 drink を -
open - - 開ける 1 opening を y x
build built built 建てる 1 building を y
meet met met 会う 5 person,kin に - x
visit - - 訪れる 1 building を - x
carry - - 運ぶ 5 goods,machine,instrument を y
use - - 使う 5 machine,goods,text,instrument を -
lose lost lost なくす 5 goods,text,picture,clothes を - x u
break broke broken 壊す 5 machine,opening を y x u
repair - - 修理する s machine,opening,building,vessel を y
wash - - 洗う 5 clothes,machine を -
borrow - - 借りる 1 text,goods,machine,instrument を -
study - - 勉強する s subject を -
watch - - 見る 1 film を -
take took taken 撮る 5 photo を y
draw drew drawn 描く 5 picture を y
play - - 弾く 5 instrument を -
play - - する s sport を -
translate - - 翻訳する s writing を y
help - - 助ける 1 person,kin,animal を n
invite - - 招待する s person,kin を n
praise - - 褒める 1 person,kin を n
look+for - - 探す 5 goods,animal,text を -
wait+for - - 待つ 5 person,kin を -
sing sang sung 歌う 5 song を -
hide hid hidden 隠す 5 goods,text,picture を y
choose chose chosen 選ぶ 5 goods,clothes,text,picture,plant を - x
steal stole stolen 盗む 5 machine,goods,picture を y x
catch caught caught 捕まえる 1 animal を n x
count - - 数える 1 goods,animal,food,plant を -
scold - - 叱る 5 person を n
send sent sent 送る 5 GIVE を -
show - shown 見せる 1 GIVE を -
lend lent lent 貸す 5 GIVE を -
hand - - 渡す 5 GIVE を -
mail - - 郵送する s GIVE を -
go went gone 行く 5 GOAL に - x
come came come 来る 1 GOAL に - x
return - - 戻る 5 GOAL に - x
walk - - 歩く 5 GOAL まで -
run ran run 走る 5 GOAL まで -
travel - - 旅行する s CITY に - x
hurry - - 急ぐ 5 GOAL に -
move - - 引っ越す 5 CITY に - x
sleep slept slept 眠る 5 NONE - -
work - - 働く 5 NONE - -
laugh - - 笑う 5 NONE - - x u
cry - - 泣く 5 NONE - - u
rest - - 休む 5 NONE - -
swim swam swum 泳ぐ 5 NONE - -
dance - - 踊る 5 NONE - -
sing sang sung 歌う 5 NONE - -
wait - - 待つ 5 NONE - -
"""
