using System.Runtime.InteropServices;
using Carrel.Deskd;

await using var deskd = new Deskd(DeskdSettings.FromEnvironment(), TimeProvider.System);
var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
{
    signal.Cancel = true;
    stop.TrySetResult();
});
await deskd.StartAsync();
await stop.Task;
