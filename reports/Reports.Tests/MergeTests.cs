using Verify.Campaign.Results;
using Verify.Reports;

namespace Reports.Tests;

public sealed class MergeTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("mqverify-reports").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void Counts_add_up_and_longest_times_stay_the_longest()
    {
        var (first, second) = TwoShards();
        var cell = second.Cells[2];
        second = second with { Cells = [cell with { Availability = new Availability(9_000, 1_000, 151, 3_000, 200) }], WallSeconds = 70 };
        var merged = ResultMerge.Merge([first, second]);
        Assert.Equal(6, merged.Cells.Count);
        var lost = merged.Cells[2].Guarantees[0];
        Assert.Equal((400, 624, 39_680, 82), (lost.Runs, lost.Violations, lost.Of, lost.RunsViolated));
        Assert.Equal(624, lost.Excuses["leader-changed-before-replication"]);
        Assert.Equal(400, merged.Cells[2].Exercised.Runs);
        Assert.Equal(new Availability(9_000, 1_872, 151, 2_020, 400), merged.Cells[2].Availability);
        Assert.Equal(2 * first.Cells[2].LatencyMs!.Count, merged.Cells[2].LatencyMs!.Count);
        Assert.Equal((72_000, 70), (merged.SimulatedSeconds, merged.WallSeconds));
    }

    [Fact]
    public void A_promise_broken_in_one_shard_is_broken()
    {
        var (first, _) = TwoShards();
        var broken = Fixtures.BrokenPromise() with { Shards = [new SeedShard(1, 200, 2, 2)] };
        Assert.Equal(ResultVerdict.Held, first.Verdict);
        Assert.Equal(ResultVerdict.Violated, ResultMerge.Merge([first, broken]).Verdict);
    }

    [Fact]
    public void A_promise_untested_in_one_shard_was_tested_in_the_other()
    {
        var (first, second) = TwoShards();
        var merged = ResultMerge.Merge([first, Fixtures.Interrupted() with { Shards = second.Shards }]);
        Assert.Equal(ResultVerdict.Held, merged.Verdict);
        Assert.Contains("1 of 2 parts are partial", merged.Interrupted!.Reason);
    }

    [Fact]
    public void The_same_runs_are_not_counted_twice()
    {
        var (first, second) = TwoShards();
        Assert.Throws<ResultsDisagreeException>(() => ResultMerge.Merge([first, first]));
        Assert.Throws<ResultsDisagreeException>(() => ResultMerge.Merge([first, second with { Shards = [new SeedShard(150, 300, 1, 3)] }]));
        Assert.Throws<ResultsDisagreeException>(() => ResultMerge.Merge([ResultMerge.Merge([first, second]), second]));
        Assert.Equal(2, ResultMerge.Merge([first, second with { Shards = [new SeedShard(201, 300, 1, 1)] }]).Shards.Count);
    }

    [Fact]
    public void Results_of_different_tools_do_not_add_up()
    {
        var (first, second) = TwoShards();
        Assert.Throws<ResultsDisagreeException>(() => ResultMerge.Merge([first, second with { Tool = new ToolInfo("0.1.0", "fffffff") }]));
    }

    [Fact]
    public void Merging_does_not_depend_on_how_the_shards_are_grouped()
    {
        var shards = Enumerable.Range(1, 3).Select(i => Fixtures.SixCells() with { Shards = [new SeedShard(1, 600, i, 3)] }).ToArray();
        var left = ResultMerge.Merge([ResultMerge.Merge([shards[0], shards[1]]), shards[2]]);
        var right = ResultMerge.Merge([shards[0], ResultMerge.Merge([shards[1], shards[2]])]);
        Assert.Equal(ResultJson.Write(left), ResultJson.Write(right));
    }

    [Fact]
    public void A_broken_promise_is_told_before_a_permitted_loss()
    {
        var (first, second) = TwoShards();
        var worse = Fixtures.Story("stories/worse.story.json") with { Excuse = null, Faults = ["a", "b", "c"] };
        var cell = second.Cells[2];
        second = second with { Stories = [worse], Cells = [cell with { Guarantees = [cell.Guarantees[0] with { Story = worse.File, ViolationsPromised = 1 }] }] };
        Assert.Equal(worse.File, ResultMerge.Merge([first, second]).Cells[2].Guarantees[0].Story);
        Assert.Equal(worse.File, ResultMerge.Merge([second, first]).Cells[0].Guarantees[0].Story);
    }

    [Fact]
    public void A_folder_reads_back_what_was_written()
    {
        var result = Fixtures.SixCells();
        var stories = result.Stories.ToDictionary(story => story.File, story => $"{{\"seed\":{story.Seed}}}");
        ReportWriter.Write(result, stories, root);
        var read = ReportReader.Read(root);
        Assert.Equal(ResultJson.Write(result), ResultJson.Write(read.Result));
        Assert.Equal(stories.OrderBy(story => story.Key, StringComparer.Ordinal), read.Stories);
        Assert.Equal(["junit.xml", "report.html", "result.json", "stories", "summary.md"], Directory.EnumerateFileSystemEntries(root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Writing_again_replaces_whole_files()
    {
        ReportWriter.Write(Fixtures.SixCells(), new Dictionary<string, string>(), root);
        ReportWriter.Write(Fixtures.BrokenPromise(), new Dictionary<string, string>(), root);
        Assert.Equal(ResultVerdict.Violated, ReportReader.Read(root).Result.Verdict);
        Assert.Empty(Directory.EnumerateFiles(root, "*.tmp"));
    }

    [Fact]
    public void Stories_of_one_name_and_two_contents_both_survive_a_merge()
    {
        var (first, second) = TwoShards();
        var file = first.Stories[0].File;
        var other = second.Cells[4];
        second = second with { Stories = [second.Stories[0]], Cells = [other with { Configuration = new Dictionary<string, string> { ["acks"] = "all", ["min.insync.replicas"] = "1" }, Guarantees = [other.Guarantees[0] with { Story = file }] }] };
        var merged = ReportFolder.Merge([new(first, new Dictionary<string, string> { [file] = "one" }), new(second, new Dictionary<string, string> { [file] = "two" })]);
        Assert.Equal(["one", "two"], merged.Stories.Values.Order());
        var renamed = merged.Result.Cells[^1].Guarantees[0].Story!;
        Assert.NotEqual(file, renamed);
        Assert.Equal("two", merged.Stories[renamed]);
        Assert.Contains(renamed, merged.Result.Stories.Single(story => story.File == renamed).Replay);
    }

    [Fact]
    public void A_story_cannot_leave_the_folder()
    {
        foreach (var name in (string[])["../x.json", "stories/../../x.json", "/etc/x.json", "stories/a/b.json", "stories/x.html"])
            Assert.Throws<ArgumentException>(() => ReportWriter.Write(Fixtures.SixCells(), new Dictionary<string, string> { [name] = "" }, root));
    }

    [Fact]
    public void What_is_no_result_is_named()
    {
        Assert.Contains("no folder", Assert.Throws<ReportUnreadableException>(() => ReportReader.Read(Path.Combine(root, "absent"))).Message);
        Assert.Contains("no result.json", Assert.Throws<ReportUnreadableException>(() => ReportReader.Read(root)).Message);
        File.WriteAllText(Path.Combine(root, "result.json"), "{\"tool\":3}");
        Assert.Contains("is not a result", Assert.Throws<ReportUnreadableException>(() => ReportReader.Read(root)).Message);
    }

    private static (CampaignResult First, CampaignResult Second) TwoShards() =>
        (Fixtures.SixCells() with { Shards = [new SeedShard(1, 200, 1, 2)] }, Fixtures.SixCells() with { Shards = [new SeedShard(1, 200, 2, 2)] });
}
