using Broker.Runtime;
using Verify.Clients;
using Verify.History;

namespace Verify.Workloads;

/// <summary>Clients create, delete and list topics; at the end every topic is listed once more. An acknowledged topic never vanishes, a deleted one never returns.</summary>
public sealed class MetadataWorkload(WorkloadPlan plan, short replicationFactor, TimeSpan timeout, HistoryRecorder recorder, ClientKit clients)
{
    private int finalReads;

    /// <summary>Ends when every command has its outcome.</summary>
    public async Task RunAsync(IHost host, int client)
    {
        var admin = clients.Admin(host);
        var pending = new List<Task>();
        await Pace.FollowAsync(host, plan.Commands.Where(command => command.Client == client), command => pending.Add(DoAsync(host, admin, command)));
        foreach (var operation in pending) await operation;
        admin.Close();
    }

    /// <summary>Lists the topics, as many times as it takes to be answered; false when it was not in time.</summary>
    public async Task<bool> ListFinallyAsync(IHost host, TimeSpan limit)
    {
        var admin = clients.Admin(host);
        var deadline = host.Time.Monotonic() + limit;
        var listed = false;
        var process = Processes.FirstFinalReader + finalReads++;
        while (!listed && host.Time.Monotonic() < deadline) listed = await ListAsync(admin, process, final: true);
        admin.Close();
        return listed;
    }

    private async Task DoAsync(IHost host, IAdmin admin, Command command)
    {
        switch (command)
        {
            case Command.CreateTopic create:
                await ChangeAsync(host, EventFunction.Create, command.Client, create.Topic, () => admin.CreateTopicAsync(new NewTopic(create.Topic, 1, replicationFactor), timeout));
                break;
            case Command.DeleteTopic delete:
                await ChangeAsync(host, EventFunction.Delete, command.Client, delete.Topic, () => admin.DeleteTopicAsync(delete.Topic, timeout));
                break;
            case Command.ListTopics: await ListAsync(admin, command.Client, final: false); break;
            default: throw new InvalidOperationException($"the metadata workload has no command {command}");
        }
    }

    private async Task ChangeAsync(IHost host, EventFunction function, int process, string topic, Func<Task<AdminOutcome>> change)
    {
        var name = recorder.Name(topic);
        recorder.Topics(function, EventType.Invoke, process, [name]);
        var outcome = await change();
        var type = outcome.Kind switch { OutcomeKind.Ok => EventType.Ok, OutcomeKind.Fail => EventType.Fail, _ => EventType.Info };
        recorder.Topics(function, type, process, [name]);
        var told = type == EventType.Info ? -1 : (int)outcome.Error;
        host.Observe(new Observation(ObservationKind.ClientAnswered, host.Id, new TopicPartition(topic, -1), Other: told));
    }

    private async Task<bool> ListAsync(IAdmin admin, int process, bool final)
    {
        recorder.Topics(EventFunction.List, EventType.Invoke, process, [], final);
        var answer = await admin.ListTopicsAsync(timeout);
        recorder.Topics(EventFunction.List, answer.IsKnown ? EventType.Ok : EventType.Fail, process, [.. (answer.Value ?? []).Select(recorder.Name)], final);
        return answer.IsKnown;
    }
}
