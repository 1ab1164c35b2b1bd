using Broker.Protocol;
using Broker.Runtime;
using Broker.Tests;
using Verify.Clients;

namespace Verify.Tests.Clients;

/// <summary>Administrative outcomes against scripted brokers.</summary>
public sealed class AdminTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static AdminOutcome Create(params ErrorCode?[] answers)
    {
        AdminOutcome outcome = default;
        var loop = new VirtualLoop();
        loop.Run(async () =>
        {
            var script = new Queue<ErrorCode?>(answers);
            var cluster = new ScriptedCluster(loop) { OnCreateTopic = _ => script.Dequeue() };
            var admin = new WireAdmin(new ScriptedHost(loop, cluster), new TaskScope(), new ConnectionSettings(ScriptedCluster.Bootstrap) { RequestTimeout = TimeSpan.FromSeconds(1) }, UnderTest.Or<ClientRules>());
            outcome = await admin.CreateTopicAsync(new NewTopic("new", 1, 3), Patience);
            admin.Close();
        });
        return outcome;
    }

    [Fact]
    public void A_created_topic_is_ok() => Assert.Equal(AdminOutcome.Done, Create(ErrorCode.None));

    [Theory]
    [InlineData(ErrorCode.TopicAlreadyExists)]
    [InlineData(ErrorCode.InvalidPartitions)]
    [InlineData(ErrorCode.InvalidReplicationFactor)]
    [InlineData(ErrorCode.InvalidTopicException)]
    [InlineData(ErrorCode.InvalidConfig)]
    [InlineData(ErrorCode.PolicyViolation)]
    public void Refused_is_fail(ErrorCode error) => Assert.Equal((OutcomeKind.Fail, error), KindOf(Create(error)));

    /// <summary>A delete that is repeated elsewhere and executed late would undo a later create: seen in simulation.</summary>
    [Fact]
    public void What_got_no_answer_is_info_and_is_not_asked_for_again() => Assert.Equal(OutcomeKind.Info, Create(null, ErrorCode.None).Kind);

    [Fact]
    public void A_controller_that_lost_its_office_may_have_done_it() =>
        Assert.Equal((OutcomeKind.Info, ErrorCode.NotController), KindOf(Create(ErrorCode.NotController, ErrorCode.None)));

    [Fact]
    public void A_throttled_request_did_nothing_and_is_tried_again() =>
        Assert.Equal((OutcomeKind.Fail, ErrorCode.InvalidConfig), KindOf(Create(ErrorCode.ThrottlingQuotaExceeded, ErrorCode.InvalidConfig)));

    [Fact]
    public void An_unknown_error_is_info() => Assert.Equal(OutcomeKind.Info, Create(ErrorCode.UnknownServerError).Kind);

    [Fact]
    public void Silence_until_the_time_is_up_is_info() => Assert.Equal((OutcomeKind.Info, ErrorCode.RequestTimedOut), KindOf(Create(null, null, null, null, null, null, null)));

    private static (OutcomeKind, ErrorCode) KindOf(AdminOutcome outcome) => (outcome.Kind, outcome.Error);
}
