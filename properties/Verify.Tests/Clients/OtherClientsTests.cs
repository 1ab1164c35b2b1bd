using System.Diagnostics;
using System.Text.RegularExpressions;
using Broker.Hosting;
using Broker.Protocol;
using Broker.Runtime;
using Chaos.Live;
using Verify.Clients;
using Verify.Clients.Live;
using Verify.Tests.House;

namespace Verify.Tests.Clients;

/// <summary>Clients that are processes and speak the lines of docs/clients.md: here a few lines of shell, each of which plays one.</summary>
public sealed class OtherClientsTests
{
    private static readonly TopicPartition Partition = new("t", 0);

    /// <summary>Reads requests; says ok to what the cases do not answer.</summary>
    private static string Client(string cases) =>
        "sh -c 'while read -r line; do id=${line#*:}; id=${id%%,*}; case $line in " + cases.Replace("'", "'\\''", StringComparison.Ordinal) + " esac; echo \"{\\\"id\\\":$id,\\\"type\\\":\\\"ok\\\"}\"; case $line in *close*) exit;; esac; done'";

    private static string Answers(string function, string rest) => $"*'\"f\":\"{function}\"'*) echo \"{{\\\"id\\\":$id,{rest.Replace("\"", "\\\"", StringComparison.Ordinal)}}}\"; continue;;";

    [Theory]
    [InlineData("\"type\":\"ok\",\"offset\":7", OutcomeKind.Ok, ErrorCode.None, 7)]
    [InlineData("\"type\":\"ok\"", OutcomeKind.Ok, ErrorCode.None, -1)]
    [InlineData("\"type\":\"fail\",\"error\":\"NotEnoughReplicasException: too few\"", OutcomeKind.Fail, ErrorCode.NotEnoughReplicas, -1)]
    [InlineData("\"type\":\"info\",\"error\":\"NOT_ENOUGH_REPLICAS\"", OutcomeKind.Info, ErrorCode.NotEnoughReplicas, -1)]
    [InlineData("\"type\":\"info\",\"error\":\"something else\"", OutcomeKind.Info, ErrorCode.UnknownServerError, -1)]
    [InlineData("\"type\":\"dunno\"", OutcomeKind.Info, ErrorCode.UnknownServerError, -1)]
    [InlineData("\"error\":\"no type\"", OutcomeKind.Info, ErrorCode.UnknownServerError, -1)]
    public Task A_send_ends_as_the_client_says_and_what_it_does_not_say_may_have_happened(string answer, OutcomeKind kind, ErrorCode error, long offset) => WithAsync(Client(Answers("send", answer)), async clients =>
    {
        var producer = await clients.ProducerAsync(new ProducerSettings(Anywhere));
        var outcome = await producer.SendAsync(Partition, null, "1"u8.ToArray());
        Assert.Equal((kind, error, offset), (outcome.Kind, outcome.Error, outcome.Offset));
        await producer.CloseAsync();
    });

    [Fact]
    public Task A_send_that_its_client_took_to_the_grave_may_have_happened() => WithAsync(Client("*send*) exit 3;;"), async clients =>
    {
        var producer = await clients.ProducerAsync(new ProducerSettings(Anywhere));
        Assert.Equal(OutcomeKind.Info, (await producer.SendAsync(Partition, null, "1"u8.ToArray())).Kind);
    }, "client producer-0 ended by itself");

    [Fact]
    public Task A_client_that_ends_by_itself_is_quoted() => WithAsync(Client("*assign*) echo out of memory >&2; exit 3;;"), async clients =>
    {
        var reader = await clients.ReaderAsync(new ConsumerSettings(Anywhere));
        reader.Assign([Partition]);
        Assert.Empty((await reader.PollAsync(TimeSpan.FromSeconds(1))).Batches);
    }, "client reader-0 ended by itself: out of memory");

    [Fact]
    public Task What_is_no_line_of_the_protocol_ends_the_run() => WithAsync(Client("*assign*) echo hello;;"), async clients =>
    {
        var reader = await clients.ReaderAsync(new ConsumerSettings(Anywhere));
        reader.Assign([Partition]);
        _ = await reader.PollAsync(TimeSpan.FromSeconds(1));
    }, "client reader-0 said what is no line of the protocol: hello");

    [Fact]
    public Task A_client_that_cannot_do_what_a_setting_asks_is_quoted() => WithAsync(Client(Answers("open", "\"type\":\"fail\",\"error\":\"no idempotence here\"")), async clients =>
        Assert.Equal("client producer-0 cannot be opened: no idempotence here", (await Assert.ThrowsAsync<LiveException>(() => clients.ProducerAsync(new ProducerSettings(Anywhere)))).Message));

    [Fact]
    public Task Records_are_handed_over_by_partition_in_their_order() => WithAsync(
        Client(Answers("poll", """ "type":"ok","records":[{"topic":"t","partition":1,"offset":4,"key":null,"value":"9"},{"topic":"t","partition":0,"offset":2,"key":"k","value":"7"},{"topic":"t","partition":1,"offset":5,"value":"8"}] """)), async clients =>
    {
        var reader = await clients.ReaderAsync(new ConsumerSettings(Anywhere));
        reader.Assign([Partition]);
        var polled = await reader.PollAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(["t-1: 4 5", "t-0: 2"], polled.Batches.Select(batch => $"{batch.Partition.Topic}-{batch.Partition.Partition}: {string.Join(' ', batch.Records.Select(record => record.Offset))}"));
        Assert.Equal("7"u8.ToArray(), polled.Batches[1].Records[0].Value);
        reader.Close();
    });

    [Theory]
    [InlineData(CommitPolicy.AfterProcessing, "awaits; takes m 3 t-0=17; commits t-0=18; ok; awaits; takes m 3 t-0=17")]
    [InlineData(CommitPolicy.BeforeProcessing, "awaits; takes m 3 t-0=17; commits t-0=18; ok; awaits; takes m 3 t-0=17; commits t-0=18; ok")]
    [InlineData(CommitPolicy.Automatic, "awaits; takes m 3 t-0=17; awaits; takes m 3 t-0=17")]
    public Task A_member_tells_what_it_is_given_and_commits_as_it_is_set(CommitPolicy policy, string expected) => WithAsync(
        Client("*'\"f\":\"poll\"'*) echo '{\"f\":\"assigned\",\"member\":\"m\",\"generation\":3,\"partitions\":[{\"topic\":\"t\",\"partition\":0,\"offset\":17}]}';"
            + " echo \"{\\\"id\\\":$id,\\\"type\\\":\\\"ok\\\",\\\"records\\\":[{\\\"topic\\\":\\\"t\\\",\\\"partition\\\":0,\\\"offset\\\":17,\\\"value\\\":\\\"1\\\"}]}\"; continue;;"), async clients =>
    {
        var heard = new Heard();
        var member = clients.Member(new GroupConsumerSettings(new ConsumerSettings(Anywhere), "g") { Commits = policy }, isClassic: true, heard);
        member.Subscribe(["t"]);
        for (var poll = 0; poll < 2; poll++) Assert.Single((await member.PollAsync(TimeSpan.FromSeconds(1))).Records.Batches);
        Assert.Equal(expected, string.Join("; ", heard.Words));
        member.Die();
        Assert.NotEqual(ErrorCode.None, (await member.PollAsync(TimeSpan.FromSeconds(1))).Error);
    });

    [Fact]
    public Task Records_whose_commit_was_refused_are_not_handed_over_but_sought_again() => WithAsync(
        Client("*seek*'\"offset\":17'*) again=yes;; " + Answers("commit", "\"type\":\"fail\",\"error\":\"RebalanceInProgressException\"")
            + " *'\"f\":\"poll\"'*) echo \"{\\\"id\\\":$id,\\\"type\\\":\\\"ok\\\",\\\"records\\\":[{\\\"topic\\\":\\\"t\\\",\\\"partition\\\":0,\\\"offset\\\":17,\\\"value\\\":\\\"$again\\\"}]}\"; continue;; *close*) echo sought again: $again >&2;;"), async clients =>
    {
        var heard = new Heard();
        var member = clients.Member(new GroupConsumerSettings(new ConsumerSettings(Anywhere), "g") { Commits = CommitPolicy.BeforeProcessing }, isClassic: true, heard);
        member.Subscribe(["t"]);
        Assert.Empty((await member.PollAsync(TimeSpan.FromSeconds(1))).Records.Batches);
        Assert.Equal("awaits; commits t-0=18; Fail", string.Join("; ", heard.Words));
        await member.CloseAsync(TimeSpan.FromSeconds(1));
    }, wrote: "sought again: yes");

    /// <summary>The table of docs/clients.md is what the probes really do, and calls no time-out a failure.</summary>
    [SkippableTheory]
    [InlineData("/usr/bin/python3 kafka_python.py", "^[A-Z].*Error$", "import kafka")]
    [InlineData("/usr/bin/python3 librdkafka.py", "^_?[A-Z_]+$", "import confluent_kafka")]
    [InlineData("./java.sh", "Exception$", null)]
    public void The_table_of_outcomes_is_what_a_probe_does(string probe, string own, string? needs)
    {
        var home = RealKafkaNode.TryFindTools();
        var reason = needs is null ? home.Reason : Run("/usr/bin/python3", ["-c", needs], "", "/").Code == 0 ? "" : $"/usr/bin/python3 cannot {needs}";
        Skip.IfNot(reason.Length == 0, reason);
        var rows = from line in File.ReadAllLines(Path.Combine(Sources.Root, "docs", "clients.md"))
                   let cells = line.Split('|', StringSplitOptions.TrimEntries)
                   where cells.Length == 5 && cells[1].Contains('`', StringComparison.Ordinal) && Word(cells[2]) is "ok" or "fail" or "info"
                   from Match name in Regex.Matches(cells[1], "`([^`]+)`")
                   where Regex.IsMatch(name.Groups[1].Value, own)
                   select (Name: name.Groups[1].Value, Never: Word(cells[2]), Again: Word(cells[3]));
        var told = rows.ToList();
        Assert.True(told.Count >= 5);
        Assert.DoesNotContain(told, row => Regex.IsMatch(row.Name, "time_?d?_?out", RegexOptions.IgnoreCase) && (row.Never, row.Again) != ("info", "info"));
        var folder = Path.Combine(Sources.Root, "properties", "probes");
        var said = Run("/bin/sh", ["-c", $"exec {probe} --outcomes"], string.Join('\n', told.Select(row => row.Name)) + "\n", folder, home.Home);
        Assert.Equal(string.Join('\n', told.Select(row => $"{row.Name} {row.Never} {row.Again}")), said.Output.Trim());

        static string Word(string cell) => Regex.Match(cell, "[a-z]+").Value;
    }

    private static ConnectionSettings Anywhere => new([new Endpoint("127.0.0.1", 1)]);

    /// <param name="failure">What the clients' scope hears; null: nothing.</param>
    /// <param name="wrote">What the client last wrote to standard error.</param>
    private static async Task WithAsync(string command, Func<ExecClients, Task> work, string? failure = null, string? wrote = null)
    {
        using var host = new RealHost(new NodeId(1), new MemoryDisk(), new Prng(1));
        using var folder = new LiveFolder();
        var scope = new TaskScope();
        await host.Loop.RunAsync(async () =>
        {
            using var clients = new ExecClients(host, scope, new ClientProgram(command, new Dictionary<string, string>(), Path.GetTempPath()), folder);
            await work(clients);
            if (failure is not null) Assert.StartsWith(failure, (await Assert.ThrowsAsync<LiveException>(() => scope.Failed.WaitAsync(TimeSpan.FromMinutes(1)))).Message, StringComparison.Ordinal);
            else Assert.False(scope.Failed.IsFaulted, $"{scope.Failed.Exception}");
        });
        if (wrote is not null) Assert.Equal(wrote, File.ReadAllText(Directory.EnumerateFiles(folder.Path, "said.log", SearchOption.AllDirectories).Single()).Trim());
    }

    private static (int Code, string Output) Run(string program, string[] arguments, string input, string folder, string? kafkaHome = null)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        if (kafkaHome is not null) start.Environment["KAFKA_HOME"] = kafkaHome;
        try
        {
            using var process = Process.Start(start)!;
            var wrong = process.StandardError.ReadToEndAsync();
            process.StandardInput.Write(input);
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, process.ExitCode == 0 ? output : output + wrong.Result);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (127, $"no {program}");
        }
    }

    private sealed class Heard : IGroupWatcher
    {
        public List<string> Words { get; } = [];

        public void Asks(string member, int generation, IReadOnlyList<TopicPartition> share) => Words.Add("asks");

        public void Learns(IReadOnlyDictionary<TopicPartition, long>? committed) => Words.Add("learns");

        public void Awaits() => Words.Add("awaits");

        public void Takes(string member, int generation, IReadOnlyList<TopicPartition> share, IReadOnlyDictionary<TopicPartition, long> committed) => Words.Add($"takes {member} {generation} {Told(committed)}");

        public void GaveUp(string member, int generation, IReadOnlyList<TopicPartition> share) => Words.Add("gives up");

        public void Commits(string member, int generation, IReadOnlyDictionary<TopicPartition, long> offsets) => Words.Add($"commits {Told(offsets)}");

        public void Hears(CommitOutcome outcome) => Words.Add(outcome.Kind is OutcomeKind.Ok ? "ok" : $"{outcome.Kind}");

        private static string Told(IReadOnlyDictionary<TopicPartition, long> offsets) => string.Join(' ', offsets.Select(static one => $"{one.Key.Topic}-{one.Key.Partition}={one.Value}"));
    }
}
