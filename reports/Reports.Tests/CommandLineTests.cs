using System.Text;
using System.Text.Json;
using Chaos.Faults;
using Verify.Campaign.Results;
using Verify.Cli;
using Verify.Cli.Options;
using Verify.Promises;

namespace Reports.Tests;

/// <summary>The program's entry, run in-process with captured output.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("mqverify-cli-");

    public void Dispose() => directory.Delete(recursive: true);

    private static (int Code, string Output, string Error) Run(params string[] arguments) => RunOn("", arguments);

    private static (int Code, string Output, string Error) RunOn(string input, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var streams = new Streams(() => new MemoryStream(Encoding.UTF8.GetBytes(input)), output, error, IsTerminal: false);
        var code = Mqverify.RunAsync(arguments, streams).GetAwaiter().GetResult();
        return (code, output.ToString(), error.ToString());
    }

    private string FileOf(string name, string text)
    {
        var path = Path.Combine(directory.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    [Theory]
    [InlineData("a verb is missing: compare, run, promise, check, hunt, replay, report, broker")]
    [InlineData("unknown verb 'promse'; did you mean 'promise'?", "promse")]
    [InlineData("unknown verb 'frobnicate'; known: compare, run, promise, check, hunt, replay, report, broker", "frobnicate")]
    [InlineData("unknown option '--sett' of mqverify promise; did you mean '--set'?", "promise", "--sett", "acks=1")]
    [InlineData("unknown option '--jsn' of mqverify check; did you mean '--json'?", "check", "-", "--jsn")]
    [InlineData("unknown option '--verison' of mqverify; did you mean '--version'?", "--verison")]
    [InlineData("unknown setting 'ackz'; did you mean 'acks'?", "promise", "--set", "ackz=1")]
    [InlineData("acks: '2' is not one of 0, 1, all", "promise", "--set", "acks=2")]
    [InlineData("--set 'acks': expected name=value", "promise", "--set", "acks")]
    [InlineData("argument missing for option: '--set'", "promise", "--set")]
    [InlineData("enable.idempotence=true needs acks=all", "promise", "--set", "acks=1", "--set", "enable.idempotence=true")]
    [InlineData("no such property file: 'none.properties'", "promise", "none.properties")]
    [InlineData("no such history: 'none.jsonl'", "check", "none.jsonl")]
    [InlineData("'HISTORY.jsonl' missing", "check")]
    [InlineData("'second' is one word too many", "check", "-", "second")]
    [InlineData("unknown value of --acks 'al'; did you mean 'all'?", "check", "-", "--acks", "al")]
    [InlineData("unknown isolation level 'read_comitted'; did you mean 'read_committed'?", "check", "-", "--isolation", "read_comitted")]
    [InlineData("unknown subscription 'assgn'; did you mean 'assign'?", "check", "-", "--subscription", "assgn")]
    [InlineData("unknown value of --commit 'aftr'; did you mean 'after'?", "check", "-", "--commit", "aftr")]
    [InlineData("unknown value of --offset-reset 'latst'; did you mean 'latest'?", "check", "-", "--offset-reset", "latst")]
    [InlineData("unknown mutant 'ack-at-locl'; did you mean 'ack-at-local-append'?", "run", "--mutant", "ack-at-locl")]
    [InlineData("--set acks is given more than once: acks=1 and acks=0; to compare values write --vary acks=1,0", "run", "--set", "acks=1", "--set", "acks=0")]
    [InlineData("--stories 'nowhere': there is no such folder", "hunt", "--regression", "--stories", "nowhere")]
    [InlineData("the folder cannot be made", "run", "--seeds", "1", "--out", "/proc/nobody/may")]
    [InlineData("is a file: name the folder of a result", "report", "/proc/version")]
    public void Bad_arguments_are_one_line_on_standard_error_and_254(string expected, params string[] arguments)
    {
        var (code, output, error) = Run(arguments);
        Assert.Equal((254, ""), (code, output));
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Equal(1, error.Count(c => c == '\n'));
        Assert.StartsWith("mqverify: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_setting_in_a_scenario_file_is_told_with_its_line()
    {
        var (code, _, error) = Run("run", FileOf("s.yaml", "workload: log\nset:\n  akcs: all\n"));
        Assert.Equal(254, code);
        Assert.Contains("s.yaml, line 2: unknown setting 'akcs'; did you mean 'acks'?", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_told_with_its_neighbour()
    {
        FileOf("server.properties", "acks=1");
        var (code, _, error) = Run("promise", Path.Combine(directory.FullName, "sever.properties"));
        Assert.Equal(254, code);
        Assert.Contains($"did you mean '{Path.Combine(directory.FullName, "server.properties")}'?", error, StringComparison.Ordinal);
        Assert.Contains("is a directory", Run("promise", directory.FullName).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"index\":0", "standard input: line 1")]
    [InlineData("nonsense\n", "standard input: line 1")]
    [InlineData("[]\n", "standard input: line 1")]
    [InlineData("{\"index\":0,\"time\":0,\"process\":0,\"type\":\"ok\"}\n", "standard input: line 1")]
    public void A_malformed_history_line_is_named(string input, string expected)
    {
        var (code, output, error) = RunOn(input, "check", "-");
        Assert.Equal((254, ""), (code, output));
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Equal(1, error.Count(c => c == '\n'));
    }

    private const string Sends =
        """
        {"index":0,"time":0,"process":0,"type":"invoke","f":"send","mops":[{"op":"send","key":"0","value":1}]}
        {"index":1,"time":10,"process":0,"type":"ok","f":"send","mops":[{"op":"send","key":"0","value":1,"offset":0}]}
        {"index":2,"time":20,"process":0,"type":"invoke","f":"send","mops":[{"op":"send","key":"0","value":2}]}
        {"index":3,"time":30,"process":0,"type":"ok","f":"send","mops":[{"op":"send","key":"0","value":2,"offset":1}]}
        {"index":4,"time":40,"process":1,"type":"invoke","f":"assign","keys":["0"],"seekToBeginning":true}
        {"index":5,"time":50,"process":1,"type":"ok","f":"assign","keys":["0"],"seekToBeginning":true}
        {"index":6,"time":60,"process":1,"type":"invoke","f":"poll","mops":[{"op":"poll"}]}

        """;

    private static string Polled(string records) => Sends + """{"index":7,"time":70,"process":1,"type":"ok","f":"poll","mops":[{"op":"poll","records":[RECORDS]}]}""".Replace("RECORDS", records, StringComparison.Ordinal);

    [Fact]
    public void A_sound_history_is_held_and_a_loss_breaks_a_promise()
    {
        var sound = RunOn(Polled("""{"key":"0","offset":0,"value":1},{"key":"0","offset":1,"value":2}"""), "check", "-");
        Assert.Equal(0, sound.Code);
        Assert.Matches(@"no-lost-writes +held +of 2", sound.Output);

        var lossy = RunOn(Polled("""{"key":"0","offset":1,"value":2}"""), "check", "-", "--json");
        Assert.Equal(1, lossy.Code);
        using var json = JsonDocument.Parse(lossy.Output);
        Assert.Equal("violated", json.RootElement.GetProperty("verdict").GetString());
        var guarantee = json.RootElement.GetProperty("guarantees").EnumerateArray().Single(g => g.GetProperty("name").GetString() == "no-lost-writes");
        Assert.Equal("lost-write", guarantee.GetProperty("anomalies")[0].GetProperty("name").GetString());
        Assert.Equal("", lossy.Error);
    }

    [Fact]
    public void A_loss_under_acks_1_is_seen_and_breaks_nothing()
    {
        var lossy = RunOn(Polled("""{"key":"0","offset":1,"value":2}"""), "check", "-", "--acks", "1");
        Assert.NotEqual(1, lossy.Code);
        Assert.Contains("lost-write: 1", lossy.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_history_that_exercised_nothing_is_unknown()
    {
        var (code, output, error) = RunOn("", "check", "-");
        Assert.Equal((2, ""), (code, error));
        Assert.StartsWith("0 events: unknown", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_history_file_is_read()
    {
        var path = FileOf("h.jsonl", Polled("""{"key":"0","offset":0,"value":1},{"key":"0","offset":1,"value":2}"""));
        Assert.Equal(0, Run("check", path).Code);
        Assert.Contains("h.jsonl: line 1", Run("check", FileOf("h.jsonl", "{")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mechanical_hunt_tells_who_is_explained_and_whom_a_test_kills_and_only_the_others_break_it()
    {
        string[] explained = ["hunt", "LogRules.StartsEpoch:always", "--mechanical", "--seeds", "1..3", "--budget", "1ms", "--jobs", "1"];
        var (code, output, error) = Run(explained);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("alive, explained as equivalent (1):\n  LogRules.StartsEpoch:always — the table", output.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains("score: 0/1 killed (0.0 %) of all mutants; 0/0 killed (0.0 %) of those not explained as equivalent", output, StringComparison.Ordinal);

        var tested = Run([.. explained, "GroupRules.MayExpire:always"]);
        Assert.Equal(0, tested.Code);
        Assert.Contains("alive, killed by a test (1):\n  GroupRules.MayExpire:always — GroupCoordinatorTests.", tested.Output.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains("0/1 killed (0.0 %) of those not explained as equivalent, and with tests 1/1 killed (100.0 %)", tested.Output, StringComparison.Ordinal);

        var unexplained = Run([.. explained, "GroupRules.HasExpired:always"]);
        Assert.Equal(1, unexplained.Code);
        Assert.Contains("alive, no run asks the rule (1):\n  GroupRules.HasExpired:always\n", unexplained.Output.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void Promise_reads_property_files_and_says_what_has_no_effect()
    {
        var server = FileOf("server.properties", "default.replication.factor=3\nmin.insync.replicas=2\nlog.dirs=/data\nmin.insync.replica=1\n");
        var producer = FileOf("producer.properties", "acks=1\n");
        var (code, output, error) = Run("promise", server, producer);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("acks=1, 3 replicas, min.insync.replicas=2", output, StringComparison.Ordinal);
        Assert.Contains("leader-changed-before-replication", output, StringComparison.Ordinal);
        Assert.Contains("Not modelled, no effect on this promise: log.dirs", output, StringComparison.Ordinal);
        Assert.Contains("server.properties:4: min.insync.replica: not a setting of Kafka's, ignored; did you mean 'min.insync.replicas'?", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("true", "commit=auto", "")]
    [InlineData("false", "commit=after", "consumer.properties:2: enable.auto.commit=false: the application is taken to commit after processing")]
    public void Promise_reads_when_a_consumer_commits(string value, string given, string note)
    {
        var (code, output, _) = Run("promise", FileOf("consumer.properties", $"group.id=payments\nenable.auto.commit={value}\n"));
        Assert.Equal(0, code);
        Assert.Contains($"Given: {given}", output, StringComparison.Ordinal);
        Assert.Contains("at-least-once", output, StringComparison.Ordinal);
        Assert.Contains(note, output, StringComparison.Ordinal);

        var refused = Run("promise", FileOf("consumer.properties", "enable.auto.commit=treu\n"));
        Assert.Equal(254, refused.Code);
        Assert.Contains("consumer.properties:1: ", refused.Error, StringComparison.Ordinal);
        Assert.Contains("did you mean 'true'?", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Promise_speaks_JSON()
    {
        var (code, output, _) = Run("promise", "--set", "acks=1", "--json");
        Assert.Equal(0, code);
        using var json = JsonDocument.Parse(output);
        var durability = json.RootElement.GetProperty("guarantees").EnumerateArray().Single(g => g.GetProperty("name").GetString() == "no-lost-writes").GetProperty("byFaultClass");
        Assert.Equal("permitted", durability.GetProperty("K").GetProperty("level").GetString());
        Assert.Equal("leader-changed-before-replication", durability.GetProperty("K").GetProperty("excuses")[0].GetString());
        Assert.Equal("1", json.RootElement.GetProperty("given").GetProperty("acks").GetString());
        Assert.Contains(json.RootElement.GetProperty("defaultsThatDiffer").EnumerateArray(), d => d.GetProperty("setting").GetString() == "min.insync.replicas");
    }

    [Theory]
    [InlineData("mqverify promise", "--help")]
    [InlineData("--set min.insync.replicas=1", "promise", "--help")]
    [InlineData("mqverify check -", "check", "--help")]
    public void Help_shows_examples_on_every_verb(string expected, params string[] arguments)
    {
        var (code, output, error) = Run(arguments);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("Examples:", output, StringComparison.Ordinal);
        Assert.Contains(expected, output, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_tells_defaults_as_they_are_typed()
    {
        var output = Run("check", "--help").Output;
        Assert.Contains("What producers waited for (default: all)", output, StringComparison.Ordinal);
        Assert.Contains("Usage: mqverify check HISTORY.jsonl [OPTION…]", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_verbs_that_are_built_are_listed()
    {
        var output = Run("--help").Output;
        foreach (var verb in output.Split('\n').SkipWhile(l => !l.StartsWith("Verbs:", StringComparison.Ordinal)).Skip(1).TakeWhile(l => l.Trim().Length > 0).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0]))
            Assert.Equal(0, Run(verb, "--help").Code);
    }

    [Fact]
    public void Version_is_printed()
    {
        var (code, output, _) = Run("--version");
        Assert.Equal(0, code);
        Assert.Matches(@"^mqverify \d+\.\d+\.\d+", output);
    }

    [Fact]
    public async Task A_failure_of_the_tool_itself_is_one_line_and_255()
    {
        using var error = new StringWriter();
        using var output = new StringWriter();
        var streams = new Streams(() => throw new InvalidOperationException("boom\nbang"), output, error, false);
        Assert.Equal(255, await Mqverify.RunAsync(["check", "-"], streams));
        Assert.Equal($"mqverify: internal failure: InvalidOperationException: boom bang{Environment.NewLine}", error.ToString());
    }

    [Theory]
    [InlineData("200", 1, 200)]
    [InlineData("17..40", 17, 40)]
    [InlineData("5..5", 5, 5)]
    public void Seeds_are_a_count_or_a_range(string text, ulong from, ulong to) => Assert.Equal(new SeedRange(from, to), OptionText.Seeds(text));

    [Theory]
    [InlineData("500ms", 0.5)]
    [InlineData("60s", 60)]
    [InlineData("2m", 120)]
    [InlineData("1.5h", 5400)]
    public void Durations_have_units(string text, double seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), OptionText.Duration("--time", text));

    [Fact]
    public void Shards_deal_every_seed_out_once()
    {
        Assert.Equal(new Shard(2, 8), OptionText.Shard("2/8"));
        for (ulong seed = 0; seed < 50; seed++) Assert.Single(Enumerable.Range(1, 7), i => new Shard(i, 7).Runs(seed));
    }

    [Fact]
    public void Faults_are_words_in_one_order()
    {
        Assert.Equal("crash power", string.Join(' ', OptionText.Faults("power,crash,power")));
        Assert.Empty(OptionText.Faults("none"));
        Assert.Equal(FaultWord.Default, OptionText.Faults("all"));
        Assert.Contains("disk", OptionText.Faults("all,disk"));
    }

    public static TheoryData<Func<object>, string> BadTexts => new()
    {
        { () => OptionText.Seeds("x"), "--seeds 'x': expected a whole number or a range A..B" },
        { () => OptionText.Seeds("0"), "nothing would run" },
        { () => OptionText.Seeds("9..3"), "did you mean 3..9?" },
        { () => OptionText.Seeds("-1"), "expected a whole number" },
        { () => OptionText.Seeds("1..2..3"), "expected a whole number" },
        { () => OptionText.Seeds("1.."), "--seeds '1..': expected a whole number or a range A..B" },
        { () => OptionText.Duration("--time", "60"), "did you mean '60s'?" },
        { () => OptionText.Duration("--time", "0s"), "more than nothing" },
        { () => OptionText.Duration("--time", "9999h"), "at most a day" },
        { () => OptionText.Duration("--budget", "soon"), "--budget 'soon': expected a duration" },
        { () => OptionText.Duration("--budget", ""), "expected a duration" },
        { () => OptionText.Shard("9/8"), "nearest: 8/8" },
        { () => OptionText.Shard("2"), "expected I/N" },
        { () => OptionText.Jobs("0"), "from 1 to" },
        { () => OptionText.Faults("crush"), "unknown fault 'crush'; did you mean 'crash'?" },
        { () => OptionText.Faults("crash,none"), "stands alone" },
        { () => OptionText.Faults("crash,"), "--faults 'crash,': a word is missing beside a comma" },
    };

    [Theory]
    [MemberData(nameof(BadTexts))]
    public void Bad_option_texts_are_refused_with_a_suggestion(Func<object> parse, string expected) =>
        Assert.Contains(expected, Assert.Throws<BadInputException>(() => parse()).Message, StringComparison.Ordinal);
}
