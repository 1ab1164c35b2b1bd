using FsCheck;
using FsCheck.Fluent;
using Verify.Promises;

namespace Verify.Tests.Promises;

public class SettingsTests
{
    [Fact]
    public void Defaults_are_the_ones_we_promise()
    {
        var c = Configuration.Default;
        Assert.Equal((Acks.All, true, 3, 2, false, true), (c.Acks, c.Idempotence, c.ReplicationFactor, c.MinInsyncReplicas, c.UncleanLeaderElection, c.EligibleLeaderReplicas));
        Assert.Equal((long.MaxValue, false, 3), (c.FlushMessages, c.CombinedRoles, c.Brokers));
    }

    [Fact]
    public void Every_default_is_a_value_its_setting_takes_and_already_canonical()
    {
        foreach (var setting in SettingCatalogue.All)
        {
            if (setting.Default is not null) Assert.Equal(setting.Default, setting.Canonical(setting.Default));
            if (setting.KafkaDefault is not null) Assert.Equal(setting.KafkaDefault, setting.Canonical(setting.KafkaDefault));
            Assert.False(KafkaNames.All.Contains(setting.Name), $"{setting.Name} is listed as modelled and as not modelled");
        }
    }

    [Theory]
    [InlineData("acks=0", false)]
    [InlineData("acks=1", false)]
    [InlineData("acks=-1", true)]
    [InlineData("retries=0", false)]
    public void Idempotence_is_on_by_default_where_it_can_be(string word, bool expected) =>
        Assert.Equal(expected, Configuration.OfWords([word]).Idempotence);

    [Theory]
    [InlineData("enable.idempotence=true needs acks=all", "acks=1", "enable.idempotence=true")]
    [InlineData("not judged together", "retention.bytes=4096", "commit=after")]
    [InlineData("enable.idempotence=true needs retries", "retries=0", "enable.idempotence=true")]
    [InlineData("max.in.flight.requests.per.connection=6 is too many", "max.in.flight.requests.per.connection=6")]
    [InlineData("delivery.timeout.ms=10 is less than request.timeout.ms=1000", "delivery.timeout.ms=10")]
    [InlineData("broker.heartbeat.interval.ms=100 is not less than broker.session.timeout.ms=100", "broker.heartbeat.interval.ms=100", "broker.session.timeout.ms=100")]
    [InlineData("acks: '2' is not one of 0, 1, all", "acks=2")]
    [InlineData("did you mean 'min.insync.replicas'", "min.insync.replica=2")]
    [InlineData("did you mean 'acks'", "ack=1")]
    [InlineData("did you mean 'true'", "unclean.leader.election.enable=ture")]
    [InlineData("not a whole number", "replication.factor=three")]
    [InlineData("allowed: 1..32, nearest: 32", "replication.factor=99")]
    [InlineData("not modelled", "linger.ms=5")]
    [InlineData("expected name=value", "acks")]
    [InlineData("expected name=value", "acks=")]
    public void Bad_settings_are_refused_in_one_line_that_names_them(string expected, params string[] words)
    {
        var refused = Assert.Throws<BadInputException>(() => Configuration.OfWords(words));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void Min_insync_replicas_above_the_replication_factor_is_taken_and_counts_as_that()
    {
        var c = Configuration.OfWords(["replication.factor=1", "min.insync.replicas=2"]);
        Assert.Equal((2, 1), (c.MinInsyncReplicas, c.EffectiveMinInsyncReplicas));
    }

    [Fact]
    public void Defaults_make_room_for_a_time_out_that_was_given()
    {
        Assert.Equal(TimeSpan.FromSeconds(30), Configuration.OfWords(["request.timeout.ms=30000"]).DeliveryTimeout);
        Assert.Equal(TimeSpan.FromSeconds(4), Configuration.OfWords(["broker.heartbeat.interval.ms=2000"]).SessionTimeout);
        Assert.Equal(TimeSpan.FromMilliseconds(50), Configuration.OfWords(["broker.session.timeout.ms=100"]).HeartbeatInterval);
    }

    [Fact]
    public void Every_default_that_is_not_Kafkas_is_listed_and_what_was_given_is_not()
    {
        var names = Configuration.OfWords(["replication.factor=3", "acks=all"]).DifferencesFromKafka.Select(d => d.Name).ToList();
        Assert.Contains("min.insync.replicas", names);
        Assert.Contains("broker.session.timeout.ms", names);
        Assert.DoesNotContain("replication.factor", names);
        Assert.DoesNotContain("acks", names);
    }

    [Fact]
    public void Configurations_with_the_same_values_are_equal_however_they_were_given()
    {
        Assert.Equal(Configuration.Default, Configuration.OfWords(["acks=-1", "enable.idempotence=TRUE"]));
        Assert.NotEqual(Configuration.Default, Configuration.OfWords(["acks=1"]));
    }

    [Fact]
    public void The_product_of_variations_has_the_first_changing_slowest()
    {
        var cells = Cells.Of(Configuration.Default, [Variation.Parse("acks=0,1,all"), Variation.Parse("unclean.leader.election.enable=false,true")]);
        Assert.Equal(
            ["acks=0 unclean.leader.election.enable=false", "acks=0 unclean.leader.election.enable=true", "acks=1 unclean.leader.election.enable=false",
             "acks=1 unclean.leader.election.enable=true", "acks=all unclean.leader.election.enable=false", "acks=all unclean.leader.election.enable=true"],
            cells.Possible.Select(c => c.Label));
        Assert.Empty(cells.Impossible);
    }

    [Fact]
    public void Impossible_combinations_are_left_out_and_named()
    {
        var cells = Cells.Of(Configuration.Default, [Variation.Parse("acks=1,all"), Variation.Parse("enable.idempotence=false,true")]);
        Assert.Equal(3, cells.Possible.Length);
        Assert.Equal("acks=1 enable.idempotence=true", Assert.Single(cells.Impossible).Label);
    }

    [Theory]
    [InlineData("given twice", "acks=1,1")]
    [InlineData("given twice", "acks=all,-1")]
    [InlineData("not one of", "acks=1,,0")]
    [InlineData("unknown setting", "akcs=1")]
    public void Bad_variations_are_refused(string expected, string text) =>
        Assert.Contains(expected, Assert.Throws<BadInputException>(() => Variation.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_setting_is_set_or_varied_not_both()
    {
        var both = Assert.Throws<BadInputException>(() => Cells.Of(Configuration.OfWords(["acks=1"]), [Variation.Parse("acks=0,1")]));
        Assert.Contains("both set and varied", both.Message, StringComparison.Ordinal);
        Assert.Throws<BadInputException>(() => Cells.Of(Configuration.Default, [Variation.Parse("acks=0"), Variation.Parse("acks=1")]));
    }

    [Fact]
    public void Property_files_are_read_as_Java_reads_them()
    {
        const string Text = "# comment\n! other\n  acks = 1\nretries:3\nnum.partitions 4\\\n  2\nempty=\nname\\ with\\=x=\\u0041\\t\\z\r\n\n";
        Assert.Equal(
            [new PropertyLine("acks", "1", 3), new("retries", "3", 4), new("num.partitions", "42", 5), new("empty", "", 7), new("name with=x", "A\tz", 8)],
            PropertiesFile.Parse(Text, "f"));
        Assert.Contains("f:1", Assert.Throws<BadInputException>(() => PropertiesFile.Parse("a=\\u00g0", "f")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_and_words_make_one_configuration_and_leave_notes()
    {
        var input = ConfigurationInput.Read(
            [("server.properties", "min.insync.replicas=1\ndefault.replication.factor=3\nlog.dirs=/x\nlog.flush.interval.messages=1\nmin.insync.replica=2"),
             ("topic.properties", "flush.messages=10\nmin.insync.replicas=2")],
            ["acks=1"]);
        Assert.Equal((Acks.One, 2, 3, 10L), (input.Configuration.Acks, input.Configuration.MinInsyncReplicas, input.Configuration.ReplicationFactor, input.Configuration.FlushMessages));
        Assert.Contains(input.Notes, n => n is { Kind: NoteKind.NotModelled, Name: "log.dirs", Source: "server.properties:3" });
        Assert.Contains(input.Notes, n => n is { Kind: NoteKind.Unknown, Name: "min.insync.replica" } && n.Message.EndsWith("did you mean 'min.insync.replicas'?", StringComparison.Ordinal));
        Assert.Contains(input.Notes, n => n is { Kind: NoteKind.Overridden, Name: "min.insync.replicas", Source: "server.properties:1" });
    }

    [Fact]
    public void What_property_files_leave_out_is_as_Kafka_has_it()
    {
        var input = ConfigurationInput.Read([("producer.properties", "acks=1")], ["num.partitions=6"]);
        Assert.Equal((1, 1, 6, false), (input.Configuration.MinInsyncReplicas, input.Configuration.ReplicationFactor, input.Configuration.Partitions, input.Configuration.Idempotence));
        Assert.Contains("min.insync.replicas", input.Assumed);
        Assert.DoesNotContain("acks", input.Assumed);
        Assert.Equal(2, ConfigurationInput.Read([], ["acks=1"]).Configuration.MinInsyncReplicas);
    }

    [Fact]
    public void A_topics_own_value_beats_the_brokers_default_wherever_it_stands()
    {
        var input = ConfigurationInput.Read([("topic", "flush.messages=10"), ("server", "log.flush.interval.messages=1")], []);
        Assert.Equal(10, input.Configuration.FlushMessages);
    }

    [Fact]
    public void A_bad_value_in_a_file_is_named_with_its_line() =>
        Assert.Contains(
            "p:2: acks: 'quorum'",
            Assert.Throws<BadInputException>(() => ConfigurationInput.Read([("p", "retries=3\nacks=quorum")], [])).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("ack", "acks")]
    [InlineData("insync", "min.insync.replicas")]
    [InlineData("MIN.INSYNC.REPLICAS", "min.insync.replicas")]
    [InlineData("zzz", null)]
    [InlineData("2", null)]
    [InlineData("", null)]
    public void The_nearest_word_is_a_plausible_slip_or_none(string word, string? expected) => Assert.Equal(expected, Nearest.To(word, SettingCatalogue.Names));

    [Fact]
    public void Distance_is_a_metric_on_words() =>
        Prop.ForAll<string, string>((a, b) =>
        {
            var (x, y) = (a ?? "", b ?? "");
            return Nearest.Distance(x, y) == Nearest.Distance(y, x) && (Nearest.Distance(x, y) == 0) == (x == y) && Nearest.Distance(x, y) <= Math.Max(x.Length, y.Length);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void One_slip_in_any_setting_name_is_mended() =>
        Prop.ForAll(
            (from name in Gen.Elements(SettingCatalogue.Names.ToArray())
             where name.Length > 4
             from at in Gen.Choose(0, name.Length - 1)
             from slip in Gen.Elements(name.Remove(at, 1), name.Insert(at, "x"), name[..at] + "q" + name[(at + 1)..])
             select (name, slip)).ToArbitrary(),
            t => SettingCatalogue.Find(t.slip) is not null || Nearest.To(t.slip, SettingCatalogue.Names) == t.name).QuickCheckThrowOnFailure();
}
