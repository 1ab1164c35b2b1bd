using Verify.Campaign.Campaigns;
using Verify.Campaign.Results;
using Xunit;

namespace Verify.Tests.Hunting;

public sealed class SeedCountTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    [InlineData(8, 8)]
    public void Seeds_are_counted_as_they_are_dealt_out(int of, int index)
    {
        for (ulong to = 5; to < 30; to++)
        {
            var plan = Plan(new SeedRange(5, to)) with { Shard = new SeedShard(5, to, index, of) };
            Assert.Equal((UInt128)plan.SeedsOfShard().Count(), plan.SeedCount);
        }
    }

    /// <summary>Counting them one by one would take centuries.</summary>
    [Fact]
    public void All_seeds_there_are_can_be_counted() => Assert.Equal(UInt128.One << 64, Plan(new SeedRange(0, ulong.MaxValue)).SeedCount);

    private static CampaignPlan Plan(SeedRange seeds) => new() { Cells = [], Workload = "log", Seeds = seeds, Command = "" };
}
