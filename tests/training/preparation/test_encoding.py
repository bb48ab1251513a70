from longspan.training.pairs.pairs import Pair
from longspan.training.preparation.encoding import LengthStatistics


def test_lengths_are_summed_by_bucket():
    lengths = LengthStatistics()
    lengths.add(Pair("a b", "猫犬"), [9, 9, 9], [9])
    lengths.add(Pair("a b cd", "猫"), [9], [9, 9])
    lengths.add(Pair("w " * 101, "x", joined=True), [9], [9])
    found = lengths.to_json()
    assert lengths.pairs == 3
    short = found["1-5"]
    assert short["pairs"] == 2
    assert short["source"]["words"] == {"mean": 2.5, "largest": 3, "sum": 5}
    assert short["source"]["tokens"] == {"mean": 2.0, "largest": 3, "sum": 4}
    assert short["target"]["characters"] == {"mean": 1.5, "largest": 2, "sum": 3}
    assert short["target_per_source"]["tokens"] == 0.75
    assert (found["over 100"]["pairs"], found["over 100"]["joined"]) == (1, 1)
    assert found["6-10"]["source"]["words"]["mean"] is None
