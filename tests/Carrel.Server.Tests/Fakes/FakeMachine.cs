using System.Collections.Concurrent;
using System.Net.WebSockets;
using Carrel.Contracts;
using Carrel.Contracts.Deskd;
using Carrel.Machines;
using Microsoft.AspNetCore.Http;

namespace Carrel.Server.Tests.Fakes;

/// <summary>One request that reached a machine's deskd.</summary>
internal sealed record Seen(string Method, string Path, string Query, string Accept, string Body);

/// <summary>A machine that is an object, with a real HTTP server for a deskd and a scripted VNC server.</summary>
internal sealed class FakeMachine(FakeWorld world, MachineSpec spec) : IMachine
{
    private readonly TaskCompletionSource<MachineExit> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentBag<DuplexStream> _streams = [];

    public string Id => spec.Id;

    public MachineSpec Spec => spec;

    public MachineLimits Limits { get; private set; } = spec.Limits with { Cpus = null };

    public Task<MachineExit> Completion => _completion.Task;

    public Identity? Identity { get; set; }

    public ConcurrentQueue<Seen> Requests { get; } = new();

    /// <summary>GET /ready answers when this does.</summary>
    public TaskCompletionSource Painted { get; set; } = Done();

    /// <summary>Answers instead of the fake deskd, where it returns true.</summary>
    public Func<HttpContext, Seen, Task<bool>> Answer { get; set; } = (_, _) => Task.FromResult(false);

    /// <summary>Serves one VNC connection; ends it by returning.</summary>
    public Func<DuplexStream, Task> Vnc { get; set; } = FakeVnc.EchoAsync;

    /// <summary>Serves one of deskd's WebSockets; ends it by returning.</summary>
    public Func<WebSocket, Seen, Task> Socket { get; set; } = EchoAsync;

    public bool Unreachable { get; set; }

    public MachineStats Stats { get; set; } = new(TimeSpan.Zero, 0, 0, 0);

    /// <summary>Why new limits cannot be set, or null.</summary>
    public Func<MachineLimits, Failure?> Refuses { get; set; } = _ => null;

    public async ValueTask<Stream> ConnectAsync(MachineService service, CancellationToken cancellationToken)
    {
        if (Unreachable || Completion.IsCompleted)
        {
            throw new IOException("connection refused");
        }

        await world.StepAsync("connect", Id);
        var (mine, stream) = service == MachineService.Vnc ? Serve() : (null, world.Deskd.Connect(this));
        _streams.Add(stream);
        if (mine is not null)
        {
            _streams.Add(mine);
        }

        return stream;
    }

    public bool Paused { get; private set; }

    public async Task<Outcome<bool>> PauseAsync(CancellationToken cancellationToken)
    {
        if (await world.StepAsync("pause", Id) is { } failure)
        {
            return failure;
        }

        Paused = true;
        return await world.StepAsync("pause:done", Id) is { } late ? late : true;
    }

    public async Task<Outcome<bool>> ResumeAsync(CancellationToken cancellationToken)
    {
        // One that runs has nothing to resume.
        if (Paused && await world.StepAsync("resume", Id) is { } failure)
        {
            return failure;
        }

        var was = Paused;
        Paused = false;
        return was && await world.StepAsync("resume:done", Id) is { } late ? late : true;
    }

    public async Task<Outcome<bool>> StopAsync(TimeSpan grace, CancellationToken cancellationToken)
    {
        if (await world.StepAsync("stop", Id) is { } failure)
        {
            return failure;
        }

        Leave();
        return await world.StepAsync("stop:done", Id) is { } late ? late : true;
    }

    public async Task<Outcome<bool>> DestroyAsync(CancellationToken cancellationToken)
    {
        if (await world.StepAsync("destroy", Id) is { } failure)
        {
            return failure;
        }

        Leave();
        world.Disks.TryRemove(Id, out _);
        return await world.StepAsync("destroy:done", Id) is { } late ? late : true;
    }

    public async Task<Outcome<bool>> ResizeAsync(MachineLimits limits, CancellationToken cancellationToken)
    {
        if (await world.StepAsync("resize", Id) is { } failure)
        {
            return failure;
        }

        if (Refuses(limits) is { } refusal)
        {
            return refusal;
        }

        Limits = new MachineLimits(
            limits.Cpus ?? Limits.Cpus,
            limits.MemoryBytes ?? Limits.MemoryBytes,
            limits.DiskBytes ?? Limits.DiskBytes,
            limits.Processes ?? Limits.Processes,
            limits.BandwidthMbps ?? Limits.BandwidthMbps);
        return await world.StepAsync("resize:done", Id) is { } late ? late : true;
    }

    public MachineLimits ReadLimits() => Limits;

    public ValueTask<MachineStats> ReadStatsAsync(CancellationToken cancellationToken) => new(Stats);

    /// <summary>Dies by itself; what it holds on the host stays until somebody releases it.</summary>
    public void End(MachineExit exit)
    {
        BreakConnections();
        _completion.TrySetResult(exit);
    }

    public void BreakConnections()
    {
        while (_streams.TryTake(out var stream))
        {
            stream.Break();
        }
    }

    private void Leave()
    {
        // Only itself: a server that was killed may still hold an old machine of the same id.
        world.Machines.TryRemove(KeyValuePair.Create(Id, this));
        End(new MachineExit(0, false));
    }

    private (DuplexStream? Mine, DuplexStream Theirs) Serve()
    {
        var (mine, theirs) = DuplexStream.Pair();
        _ = RunAsync(mine);
        return (mine, theirs);
    }

    private async Task RunAsync(DuplexStream stream)
    {
        try
        {
            await Vnc(stream);
        }
        catch (IOException)
        {
            // The other side has gone.
        }
        finally
        {
            await stream.DisposeAsync();
        }
    }

    private static async Task EchoAsync(WebSocket socket, Seen seen)
    {
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer, CancellationToken.None);
            if (read.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
                return;
            }

            await socket.SendAsync(buffer.AsMemory(0, read.Count), read.MessageType, read.EndOfMessage, CancellationToken.None);
        }
    }

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        done.SetResult();
        return done;
    }
}

/// <summary>Says what an RFB server says first, then repeats all it hears.</summary>
internal static class FakeVnc
{
    public static readonly byte[] Greeting = "RFB 003.008\n"u8.ToArray();

    public static async Task EchoAsync(DuplexStream stream)
    {
        await stream.WriteAsync(Greeting);
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await stream.ReadAsync(buffer)) > 0)
        {
            await stream.WriteAsync(buffer.AsMemory(0, read));
        }
    }
}
