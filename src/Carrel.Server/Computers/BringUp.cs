using System.Net.Http.Json;
using System.Text.Json;
using Carrel.Contracts;
using Carrel.Contracts.Deskd;
using Carrel.Machines;
using Carrel.Server.Actions;
using Carrel.Server.Hosting;

namespace Carrel.Server.Computers;

/// <summary>What came of a launch.</summary>
/// <param name="Session">The machine that can be used; or with a failure, the one that could not be taken away again.</param>
internal sealed record BroughtUp(MachineSession? Session, Failure? Failure = null);

/// <summary>
/// From nothing to a desktop somebody can use: launch, tell the machine who it is, wait until it says that its desktop is
/// painted, end the boot burst. On failure the machine is gone again, or is handed back where it will not go.
/// </summary>
internal sealed partial class BringUp(IMachineHost host, Guard guard, Settings settings, TimeProvider clock, ILogger<BringUp> log)
{
    private const long GiB = 1L << 30;

    /// <param name="undo">Takes the machine away again where it cannot be made usable: destroy for a new computer, stop for one with a disk to keep.</param>
    public async Task<BroughtUp> RunAsync(ComputerRecord record, Func<IMachine, Task<Outcome<bool>>> undo)
    {
        var begun = clock.GetTimestamp();

        // 1. Launch. No cancellation: once begun, a transition is finished or undone, whether or not the client waits.
        var launched = await host.LaunchAsync(SpecOf(record), new MachineSource.Image(record.Image), CancellationToken.None);
        if (!launched.Succeeded)
        {
            return new BroughtUp(null, launched.Failure);
        }

        var launchedAfter = clock.GetElapsedTime(begun).TotalMilliseconds;
        var session = new MachineSession(launched.Value);
        var greeted = await guard.RunAsync(record.InstanceId, () => GreetAsync(record, session));
        if (greeted.Succeeded)
        {
            var (report, total) = (greeted.Value, clock.GetElapsedTime(begun).TotalMilliseconds);
            Ready(
                log, record.InstanceId, total, launchedAfter, report.DeskdMs, report.DisplayMs, report.WindowManagerMs, report.PanelMs, report.PaintedMs);
            return new BroughtUp(session);
        }

        session.Dispose();
        var undone = await guard.RunAsync(record.InstanceId, () => undo(session.Machine));
        if (!undone.Succeeded)
        {
            NotUndone(log, record.InstanceId, undone.Failure.Message);
        }

        return new BroughtUp(undone.Succeeded ? null : session, greeted.Failure);
    }

    private async Task<Outcome<ReadyReport>> GreetAsync(ComputerRecord record, MachineSession session)
    {
        using var timeout = new CancellationTokenSource(settings.ReadyTimeout, clock);

        // Not disposed: it owns nothing, and the machine may end, and cancel it, long after the greeting.
        var ended = new CancellationTokenSource();
        _ = session.Machine.Completion.ContinueWith(_ => ended.Cancel(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        try
        {
            var screen = record.Hardware.Screen;
            var identity = new Identity(
                record.Secrets.Token, record.Secrets.VncPassword, record.HostName, record.MachineId, screen.Width, screen.Height);

            // 2. Who it is. 3. Whether its desktop is painted. 4. The end of the boot burst.
            var named = await AskAsync(session, Put(identity), timeout.Token, ended.Token);
            if (!named.Succeeded)
            {
                return named.Failure;
            }

            var ready = await AskAsync(session, new HttpRequestMessage(HttpMethod.Get, DeskdLink.At(DeskdProtocol.ReadyPath)), timeout.Token, ended.Token);
            if (!ready.Succeeded)
            {
                return ready.Failure;
            }

            var limited = await session.Machine.ResizeAsync(new MachineLimits(Cpus: record.Hardware.Cpu), ended.Token);
            return limited.Succeeded ? JsonSerializer.Deserialize(ready.Value, DeskdJson.Default.ReadyReport)! : limited.Failure;
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return new Failure(ErrorCodes.LaunchFailed, $"The machine of {record.Name} ended before its desktop was ready.", "The server's log says more.");
        }
        catch (JsonException)
        {
            return new Failure(ErrorCodes.LaunchFailed, $"The desktop of {record.Name} answered what is no report.", "The server's log says more.");
        }
    }

    private static HttpRequestMessage Put(Identity identity) =>
        new(HttpMethod.Put, DeskdLink.At(DeskdProtocol.IdentityPath)) { Content = JsonContent.Create(identity, DeskdJson.Default.Identity) };

    private static async Task<Outcome<byte[]>> AskAsync(MachineSession session, HttpRequestMessage request, CancellationToken timeout, CancellationToken ended)
    {
        using var asked = request;
        var answer = await session.Deskd.SendAsync(request, readOnly: true, timeout, ended);
        if (!answer.Succeeded)
        {
            return answer.Failure;
        }

        using var response = answer.Value;
        if (!response.IsSuccessStatusCode)
        {
            return new Failure(
                ErrorCodes.LaunchFailed,
                $"The desktop answered {(int)response.StatusCode} to {request.Method} {request.RequestUri!.AbsolutePath}.",
                "The server's log says more.");
        }

        var body = await CappedBody.ReadAsync(response.Content, CappedBody.MostJson, timeout);
        if (!body.Succeeded)
        {
            return body.Failure;
        }

        using var bytes = body.Value;
        return bytes.Bytes.ToArray();
    }

    private MachineSpec SpecOf(ComputerRecord record)
    {
        var (cpu, ram, disk, screen) = record.Hardware;
        var limits = new MachineLimits(cpu, ram * GiB, disk * GiB, settings.MaxProcesses, record.BandwidthMbps);
        return new MachineSpec(record.InstanceId, limits, screen.Width, screen.Height, screen.Depth, record.HostName);
    }

    /// <summary>The phases but the first two count from the machine's own first process.</summary>
    [LoggerMessage(
        1200,
        LogLevel.Information,
        "Computer {Instance}: desktop ready after {Milliseconds:F0} ms (launched {Launched:F0}; inside: deskd {Deskd:F0}, display {Display:F0}, window manager {Manager:F0}, panel {Panel:F0}, painted {Painted:F0})")]
    private static partial void Ready(
        ILogger log, string instance, double milliseconds, double launched, double deskd, double display, double manager, double panel, double painted);

    [LoggerMessage(1201, LogLevel.Error, "Computer {Instance}: the machine could not be taken away after a failed launch: {Why}")]
    private static partial void NotUndone(ILogger log, string instance, string why);
}
