"""Tables of the words of the sample's grammar.

The most frequent word of a group comes first; `_` is a space in a word. No Japanese word has a
kanji numeral, so that numbers can be found in generated text.
"""

__all__ = ["ACTIONS", "ADJECTIVES", "NAMES", "NOUNS", "NUMBERS", "PLACES", "TENS", "TIMES"]

# category: english[/plural] japanese counter
NOUNS = """
person: teacher 先生 人; student 学生 人; doctor 医者 人; child/children 子供 人; writer 作家 人;
    nurse 看護師 人; painter 画家 人; farmer 農民 人; soldier 兵士 人; lawyer 弁護士 人
kin: friend 友人 人; mother 母 人; father 父 人; brother 兄 人; sister 妹 人; uncle おじ 人
animal: dog 犬 匹; cat 猫 匹; horse 馬 頭; bird 鳥 羽; cow 牛 頭; rabbit うさぎ 匹
food: apple りんご 個; egg 卵 個; peach 桃 個; orange みかん 個; tomato/tomatoes トマト 個;
    cake ケーキ 個
text: book 本 冊; letter 手紙 通; novel 小説 冊; report 報告書 通; dictionary 辞書 冊;
    magazine 雑誌 冊; newspaper 新聞 部
goods: ticket 切符 枚; umbrella 傘 本; bag かばん 個; key 鍵 本; hat 帽子 個; chair 椅子 脚;
    map 地図 枚; plate 皿 枚; coat コート 着; shirt シャツ 枚
machine: car 車 台; bicycle 自転車 台; camera カメラ 台; computer コンピューター 台; clock 時計 台
building: house 家 軒; bridge 橋 本; temple 寺 軒; castle 城 軒; museum 博物館 軒; shop 店 軒
"""

# english japanese class categories; class: i, na
ADJECTIVES = """
old 古い i text,goods,machine,building
new 新しい i text,goods,machine,building
small 小さい i goods,animal,food,machine,building
big 大きい i goods,animal,food,machine,building
beautiful 美しい i goods,building,animal
expensive 高い i goods,machine,text
cheap 安い i goods,machine,food
red 赤い i goods,machine,food
white 白い i goods,animal,building
heavy 重い i goods,machine
interesting 面白い i text
difficult 難しい i text
important 重要な na text
strange 不思議な na goods,animal,machine
famous 有名な na person,building,text
young 若い i person
kind 親切な na person
busy 忙しい i person
strong 強い i person,animal
"""

# english preposition japanese
PLACES = """
the_station at 駅; the_park in 公園; the_library at 図書館; the_hospital at 病院;
the_school at 学校; Kyoto in 京都; Tokyo in 東京; the_village in 村; Osaka in 大阪;
the_hotel at ホテル; the_garden in 庭; London in ロンドン; Paris in パリ; the_bank at 銀行;
Nara in 奈良; the_airport at 空港
"""

# english japanese
NAMES = """
Tanaka 田中さん; Suzuki 鈴木さん; Hanako 花子; Sato 佐藤さん; Ken 健; Yamada 山田さん;
Anna アンナ; Ito 伊藤さん; Tom トム; Yumi 由美; Mary メアリー; Kato 加藤さん; Taro 太郎;
Peter ピーター; Keiko 恵子; Maria マリア
"""

# english japanese; when: p past, n not past, a always
TIMES = """
yesterday 昨日 p; last_week 先週 p; this_morning 今朝 p; last_year 昨年 p;
tomorrow 明日 n; next_week 来週 n; every_day 毎日 n; tonight 今夜 n;
on_Monday 月曜日に a; on_Friday 金曜日に a; on_Sunday 日曜日に a
"""

# base past japanese class objects particle; a past of "-" is regular.
# class: 5 godan, 1 ichidan, s suru. A base "look+for" takes its object behind "for".
# objects: categories of nouns; GIVE takes a thing and a person, GOAL a place, NONE nothing.
ACTIONS = """
buy bought 買う 5 goods,machine,food,text を
see saw 見る 1 person,animal,building を
sell sold 売る 5 goods,machine,text を
find found 見つける 1 goods,text,animal,machine を
eat ate 食べる 1 food を
write wrote 書く 5 text を
build built 建てる 1 building を
meet met 会う 5 person,kin に
carry - 運ぶ 5 goods,machine,food を
use - 使う 5 machine,goods,text を
lose lost なくす 5 goods,text を
break broke 壊す 5 machine,goods を
repair - 修理する s machine,building を
borrow - 借りる 1 text,goods,machine を
translate - 翻訳する s text を
help - 助ける 1 person,kin,animal を
invite - 招待する s person,kin を
praise - 褒める 1 person,kin を
look+for - 探す 5 goods,animal,text を
wait+for - 待つ 5 person,kin を
send sent 送る 5 GIVE を
show - 見せる 1 GIVE を
lend lent 貸す 5 GIVE を
go went 行く 5 GOAL に
return - 戻る 5 GOAL に
walk - 歩く 5 GOAL まで
hurry - 急ぐ 5 GOAL に
sleep slept 眠る 5 NONE -
work - 働く 5 NONE -
laugh - 笑う 5 NONE -
rest - 休む 5 NONE -
sing sang 歌う 5 NONE -
swim swam 泳ぐ 5 NONE -
"""

NUMBERS = """
- one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen
"""
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety"
