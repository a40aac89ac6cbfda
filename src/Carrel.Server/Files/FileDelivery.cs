using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Carrel.Contracts.Deskd;
using Carrel.Server.Actions;
using Carrel.Server.Computers;
using Microsoft.AspNetCore.WebUtilities;

namespace Carrel.Server.Files;

/// <summary>
/// Brings uploads onto desktops. Whoever has something to bring, an upload or a computer that has come up, has the computer
/// given all that it was not given yet, one run at a time, so that the two never bring the same file twice.
/// </summary>
internal sealed partial class FileDelivery(FileStore store, FileContents contents, StallClocks clocks, TimeProvider clock, ILogger<FileDelivery> log)
{
    /// <summary>How long an upload's answer waits for desktops. What takes longer arrives all the same.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private const int BufferBytes = 256 * 1024;
    private readonly ConditionalWeakTable<Computer, SemaphoreSlim> _oneAtATime = [];

    private readonly ConcurrentDictionary<Task, bool> _running = new();

    /// <summary>Completes when what is under way now has ended.</summary>
    public Task Settled => Task.WhenAll(_running.Keys);

    /// <summary>Begins in the background; a computer that has come up does not wait for it.</summary>
    public void Begin(Computer computer) => _ = StartAsync(computer);

    public Task ToAllAsync(IEnumerable<Computer> computers) =>
        Task.WhenAny(Task.WhenAll(computers.Select(StartAsync)), Task.Delay(Patience, clock));

    private Task StartAsync(Computer computer)
    {
        var run = RunAsync(computer);
        _running[run] = true;
        _ = run.ContinueWith(ended => _running.TryRemove(ended, out var _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return run;
    }

    private async Task RunAsync(Computer computer)
    {
        var turn = _oneAtATime.GetValue(computer, _ => new SemaphoreSlim(1, 1));
        await turn.WaitAsync();
        try
        {
            var record = computer.State.Record;
            if (computer.State.Usable is { } session)
            {
                foreach (var file in await store.PendingAsync(record.Id, record.WorkspaceId))
                {
                    await PutAsync(record, session, file);
                }
            }
        }
#pragma warning disable CA1031 // Nobody waits for this; a bug here must be seen, and not end the server.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            Unexpected(log, bug, computer.State.Record.InstanceId);
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task PutAsync(ComputerRecord computer, MachineSession session, FileRecord file)
    {
        if (contents.Find(file.Id) is null)
        {
            return; // Deleted meanwhile.
        }

        using var stall = clocks.Start();
        await using var opened = contents.Open(file.Id);
        using var content = new RelayedBody(PipeReader.Create(opened, new StreamPipeReaderOptions(bufferSize: BufferBytes)), file.SizeBytes, stall);
        var target = DeskdLink.At(DeskdProtocol.DesktopFilePath, QueryHelpers.AddQueryString("", "name", file.Filename));
        using var request = new HttpRequestMessage(HttpMethod.Put, target) { Content = content };
        var sent = await session.Deskd.SendAsync(request, readOnly: true, stall.Token, CancellationToken.None);
        if (!sent.Succeeded)
        {
            NotDelivered(log, computer.InstanceId, file.Id, sent.Failure.Message);
            return;
        }

        using var response = sent.Value;
        if (response.IsSuccessStatusCode)
        {
            await store.DeliveredAsync(file.Id, computer.Id);
            return;
        }

        NotDelivered(log, computer.InstanceId, file.Id, $"the desktop answered {(int)response.StatusCode}");
    }

    [LoggerMessage(1500, LogLevel.Warning, "Computer {Instance}: file {File} was not delivered and will be at its next start: {Why}")]
    private static partial void NotDelivered(ILogger log, string instance, string file, string why);

    [LoggerMessage(1501, LogLevel.Error, "Computer {Instance}: delivering files failed unexpectedly")]
    private static partial void Unexpected(ILogger log, Exception bug, string instance);
}
