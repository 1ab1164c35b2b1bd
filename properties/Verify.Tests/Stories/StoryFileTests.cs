using FsCheck;
using FsCheck.Fluent;
using Verify.Campaign.Stories;
using Verify.Promises;

namespace Verify.Tests.Stories;

public sealed class StoryFileTests
{
    [Fact]
    public void Any_story_survives_the_way_through_its_file() =>
        Prop.ForAll(Scenarios.Any, scenario =>
        {
            var story = Scenarios.Story(scenario);
            var json = story.ToJson();
            var again = StoryFile.Parse(json, "x.story.json");
            return again == story && again.Scenario.Configuration.Given.SequenceEqual(scenario.Configuration.Given) && again.ToJson() == json;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_story_reads_like_data_a_person_wrote() =>
        Assert.Equal(
            """
            {
              "tool": "0.1.0",
              "system": "reference",
              "on": "sim",
              "why": "A leader acknowledged value 7 alone; another took over.",
              "guarantee": "no-lost-writes",
              "anomaly": "lost-write",
              "excuse": "unclean-election",
              "configuration": {},
              "mutant": null,
              "seed": 7,
              "world": {"latency":1,"flush":0.3,"quorumPace":1,"fetchBytes":1048576},
              "length": 20000,
              "powerLimit": 1,
              "workload": {"name":"log","partitions":2,"clients":3,"readers":2},
              "faults": [
                {"fault":"crash","when":{"at":12.5},"howLong":800,"node":2}
              ],
              "commands": [
                {"do":"send","partition":1,"value":1,"at":10.25,"client":1},
                {"do":"send","partition":0,"value":2,"at":20.5,"client":2}
              ],
              "traceHash": "00abcdef01234567",
              "found": {"seed":7,"command":"mqverify compare --seeds 200"}
            }

            """,
            Scenarios.Story(Scenarios.WithSends(2, Scenarios.Crash(12.5, 2))).ToJson());

    [Theory]
    [InlineData("\"seed\": 7,", "", "missing: 'seed'")]
    [InlineData("\"seed\": 7", "\"seed\": \"seven\"", "seed: ")]
    [InlineData("\"seed\": 7", "\"seeds\": 7", "seeds")]
    [InlineData("\"sim\"", "3", "on: ")]
    [InlineData("\"no-lost-writes\"", "\"no-lost-write\"", "guarantee: unknown guarantee 'no-lost-write'; did you mean 'no-lost-writes'?")]
    [InlineData("\"lost-write\"", "\"duplicate\"", "anomaly: unknown anomaly of no-lost-writes 'duplicate'")]
    [InlineData("\"unclean-election\"", "\"bad-luck\"", "excuse: unknown excuse 'bad-luck'")]
    [InlineData("\"configuration\": {}", "\"configuration\": {\"ack\":\"1\"}", "configuration: unknown setting 'ack'; did you mean 'acks'?")]
    [InlineData("\"configuration\": {}", "\"configuration\": {\"acks\":\"2\"}", "configuration: acks: '2' is not one of 0, 1, all")]
    [InlineData("\"latency\":1", "\"latency\":0", "world: paces and sizes are more than 0")]
    [InlineData("\"length\": 20000", "\"length\": 0", "length: a run takes longer than 0 ms")]
    [InlineData("\"name\":\"log\"", "\"name\":\"lag\"", "workload.name: unknown workload 'lag'; did you mean 'log'?")]
    [InlineData("\"partitions\":2", "\"partitions\":1", "commands[0].partition: 1 is out of range, allowed: 0..0")]
    [InlineData("\"clients\":3", "\"clients\":2", "commands[1].client: 2 is out of range, allowed: 0..1")]
    [InlineData("\"at\":10.25", "\"at\":-1", "commands[0].at: a time is not negative")]
    [InlineData("\"at\":10.25", "\"at\":30", "commands[1].at: commands stand in the order of their times")]
    [InlineData("\"do\":\"send\",\"partition\":1,\"value\":1,", "\"do\":\"list-topics\",", "commands[0]: the log workload has no such command: client 1 lists the topics")]
    [InlineData("\"do\":\"send\",\"partition\":1", "\"do\":\"sing\",\"partition\":1", "commands[0]")]
    [InlineData("\"do\":\"send\",\"partition\":1", "\"partition\":1", "commands: ")]
    [InlineData("\"value\":1,", "", "missing: 'value'")]
    [InlineData("\"fault\":\"crash\"", "\"fault\":\"crush\"", "faults")]
    [InlineData("\"howLong\":800,", "", "faults")]
    [InlineData("\"00abcdef01234567\"", "\"abcdefg\"", "traceHash: 'abcdefg' is not a hexadecimal number")]
    [InlineData("{", "[", "")]
    public void Bad_input_is_refused_by_file_and_field(string good, string bad, string says)
    {
        var json = Scenarios.Story(Scenarios.WithSends(2, Scenarios.Crash(12.5, 2))).ToJson();
        Assert.Contains(good, json, StringComparison.Ordinal);
        var at = json.IndexOf(good, StringComparison.Ordinal);
        var refused = Assert.Throws<BadInputException>(() => StoryFile.Parse(json[..at] + bad + json[(at + good.Length)..], "bad.story.json"));
        Assert.StartsWith("bad.story.json: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", refused.Message, StringComparison.Ordinal);
    }
}
