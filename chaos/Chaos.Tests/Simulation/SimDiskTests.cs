using Broker.Runtime;
using Chaos.Faults;
using Chaos.Simulation;

namespace Chaos.Tests.Simulation;

public sealed class SimDiskTests
{
    private static readonly NodeId Node = new(0);

    [Fact]
    public void A_power_loss_never_takes_what_was_flushed_and_tears_the_rest_at_any_byte()
    {
        var lengths = new SortedSet<int>();
        for (var seed = 1ul; seed <= 300; seed++)
        {
            var survived = AfterFault(seed, new Fault.Power(Trigger.AtMs(10), Echo.Ms(10), NodeRef.Of(0), UnsyncedTail.Prefix), async disk =>
            {
                var file = disk.Open("d/f");
                file.Write(0, Bytes(0, 100));
                await file.FlushAsync();
                await disk.FlushDirectoryAsync("d");
                for (var i = 100; i < 120; i += 4) file.Write(i, Bytes(i, 4));
            })!;
            Assert.Equal(Bytes(0, survived.Length), survived);
            lengths.Add(survived.Length);
        }

        Assert.Equal(100, lengths.Min);
        Assert.Equal(21, lengths.Count);                               // 100..120: every byte
    }

    [Fact]
    public void An_overwrite_that_was_not_flushed_is_undone_or_torn_and_a_flushed_one_stays()
    {
        var states = new SortedSet<string>(StringComparer.Ordinal);
        for (var seed = 1ul; seed <= 200; seed++)
        {
            var survived = AfterFault(seed, new Fault.Power(Trigger.AtMs(10), Echo.Ms(10), NodeRef.Of(0)), async disk =>
            {
                var file = disk.Open("d/f");
                file.Write(0, "aaaa"u8);
                await file.FlushAsync();
                await disk.FlushDirectoryAsync("d");
                file.Write(0, "bb"u8);
                await file.FlushAsync();
                file.Write(2, "cc"u8);
                file.Truncate(3);
            })!;
            states.Add(System.Text.Encoding.ASCII.GetString(survived));
        }

        Assert.Equal(["bbaa", "bbc", "bbca", "bbcc"], states);
    }

    [Fact]
    public void A_flush_covers_what_was_written_before_it_and_not_what_came_during_it()
    {
        var survived = AfterFault(1, new Fault.Power(Trigger.AtMs(10), Echo.Ms(10), NodeRef.Of(0), UnsyncedTail.Lost), async disk =>
        {
            var file = disk.Open("d/f");
            await disk.FlushDirectoryAsync("d");
            file.Write(0, "before"u8);
            var flush = file.FlushAsync();
            file.Write(6, "during"u8);
            await flush;
        });
        Assert.Equal("before"u8.ToArray(), survived);
    }

    [Fact]
    public void A_file_whose_directory_was_not_flushed_may_be_gone_although_it_was_flushed()
    {
        var present = Enumerable.Range(1, 100).Count(seed => AfterFault((ulong)seed, new Fault.Power(Trigger.AtMs(10), Echo.Ms(10), NodeRef.Of(0)), async disk =>
        {
            var file = disk.Open("d/f");
            file.Write(0, "x"u8);
            await file.FlushAsync();
        }) is not null);
        Assert.InRange(present, 20, 80);
    }

    [Fact]
    public void A_rename_that_was_not_flushed_shows_the_old_file_or_the_new_one_never_half()
    {
        var contents = new SortedSet<string>(StringComparer.Ordinal);
        for (var seed = 1ul; seed <= 100; seed++)
        {
            var survived = AfterFault(seed, new Fault.Power(Trigger.AtMs(10), Echo.Ms(10), NodeRef.Of(0)), async disk =>
            {
                var old = disk.Open("d/f");
                old.Write(0, "old"u8);
                await old.FlushAsync();
                await disk.FlushDirectoryAsync("d");
                var next = disk.Open("d/f.tmp");
                next.Write(0, "new!"u8);
                await next.FlushAsync();
                disk.Rename("d/f.tmp", "d/f");
            });
            contents.Add(System.Text.Encoding.ASCII.GetString(survived!));
        }

        Assert.Equal(["new!", "old"], contents);
    }

    [Fact]
    public void A_crash_keeps_the_page_cache_and_runs_no_finally()
    {
        var finallyRan = false;
        var survived = AfterFault(1, new Fault.Crash(Trigger.AtMs(10), Echo.Ms(10), NodeRef.Of(0)), async disk =>
        {
            try
            {
                disk.Open("d/f").Write(0, "unsynced"u8);
                await Echo.ForEver();
            }
            finally
            {
                finallyRan = true;
            }
        });
        Assert.Equal("unsynced"u8.ToArray(), survived);
        Assert.False(finallyRan);
    }

    [Fact]
    public void Pages_that_a_failed_flush_dropped_are_not_saved_by_a_later_one()
    {
        var lost = 0;
        for (var seed = 1ul; seed <= 40; seed++)
        {
            var world = new SimWorld(seed);
            byte[]? found = null;
            world.AddNode(Node, "n", "n", async host =>
            {
                if (host.Disk.Exists("d/f"))
                {
                    found = Content(host.Disk, "d/f");
                    await Echo.ForEver();
                }

                var file = host.Disk.Open("d/f");
                await host.Disk.FlushDirectoryAsync("d");
                await host.Time.DelayAsync(Echo.Ms(5));
                file.Write(0, "first"u8);
                await Assert.ThrowsAsync<DiskException>(() => file.FlushAsync().AsTask());
                await host.Time.DelayAsync(Echo.Ms(20));
                file.Write(5, "second"u8);
                await file.FlushAsync();
                await Echo.ForEver();
            });
            world.Unleash(new FaultSchedule(
            [
                new Fault.Disk(Trigger.AtMs(3), Echo.Ms(10), NodeRef.Of(0), DiskTrouble.FsyncFails),
                new Fault.Power(Trigger.AtMs(50), Echo.Ms(10), NodeRef.Of(0), UnsyncedTail.Lost),
            ])).Start();
            world.RunFor(100);
            Assert.Empty(world.Failures);
            Assert.Equal("second"u8.ToArray(), found![5..]);
            if (found[0] == 0) lost++;
            else Assert.Equal("first"u8.ToArray(), found[..5]);
        }

        Assert.InRange(lost, 8, 32);
    }

    [Fact]
    public void The_world_says_how_many_bytes_a_power_loss_took()
    {
        var world = new SimWorld(1);
        world.AddNode(Node, "n", "n", async host =>
        {
            var file = host.Disk.Open("d/f");
            await host.Disk.FlushDirectoryAsync("d");
            file.Write(0, new byte[70]);
            await file.FlushAsync();
            file.Write(70, new byte[30]);
            await Echo.ForEver();
        });
        world.Unleash(new FaultSchedule([new Fault.Power(Trigger.AtMs(10), Echo.Ms(10), NodeRef.Of(0), UnsyncedTail.Lost)])).Start();
        world.RunFor(50);
        Assert.Equal(30, world.Journal.Single(entry => entry.What.Kind == ObservationKind.PowerLost).What.Offset);
    }

    [Fact]
    public void Names_are_listed_in_ordinal_order_and_only_those_of_the_directory()
    {
        IReadOnlyList<string> listed = [];
        var world = new SimWorld(1);
        world.AddNode(Node, "n", "n", async host =>
        {
            foreach (var path in new[] { "d/b", "d/a", "d/sub/x", "other", "d/C" }) host.Disk.Open(path);
            host.Disk.Delete("d/b");
            listed = host.Disk.List("d");
            await Echo.ForEver();
        });
        world.RunFor(1);
        Assert.Equal(["C", "a"], listed);
    }

    /// <summary>What a file holds in the second life of a node whose first life ran a program and was then hurt; null when it is gone.</summary>
    private static byte[]? AfterFault(ulong seed, Fault fault, Func<IDisk, Task> firstLife, string path = "d/f")
    {
        var world = new SimWorld(seed);
        byte[]? found = null;
        var lives = 0;
        world.AddNode(Node, "n", "n", async host =>
        {
            if (++lives == 1) await firstLife(host.Disk);
            else if (host.Disk.Exists(path)) found = Content(host.Disk, path);
            await Echo.ForEver();
        });
        world.Unleash(new FaultSchedule([fault])).Start();
        world.RunFor(50);
        Assert.Empty(world.Failures);
        Assert.Equal(2, lives);
        return found;
    }

    private static byte[] Content(IDisk disk, string path)
    {
        using var file = disk.Open(path);
        var bytes = new byte[file.Length];
        Assert.Equal(bytes.Length, file.Read(0, bytes));
        return bytes;
    }

    private static byte[] Bytes(int from, int count) => [.. Enumerable.Range(from, count).Select(i => (byte)i)];
}
