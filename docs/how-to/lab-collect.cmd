@echo off
rem Collects what the steps of lab.md leave on a CA, in one directory:
rem   lab-collect.cmd [DIRECTORY]
rem It changes nothing; run it in an elevated Command Prompt. A command that fails leaves its error in its file.
setlocal
set "results=%~1"
if "%results%"=="" set "results=%USERPROFILE%\Desktop\certwire-lab"
if not exist "%results%" mkdir "%results%"
if not exist "%results%" (
  echo Cannot make the directory "%results%".
  exit /b 1
)
set "configuration=HKLM\SYSTEM\CurrentControlSet\Services\CertSvc\Configuration"

call :save 01-windows ver
call :save 02-version certwire --version
call :save 03-doctor certwire doctor
call :save 04-ca certwire ca status --json
call :save 05-journal-check certwire journal check
call :save 06-journal-status certwire journal status
call :save 07-status certwire status --json
call :save 08-exit-count certutil -CAInfo exitcount
call :save 09-exit-1 certutil -CAInfo exit 0
call :save 10-exit-2 certutil -CAInfo exit 1
call :save 11-exit-modules reg query "%configuration%" /s /f Exit
call :save 12-service sc.exe qc Certwire
call :save 13-service-state sc.exe queryex Certwire
call :save 14-service-failure sc.exe qfailure Certwire
call :save 15-service-sid sc.exe qsidtype Certwire
call :save 16-service-preshutdown reg query HKLM\SYSTEM\CurrentControlSet\Services\Certwire
call :save 17-rights-journal icacls "%ProgramData%\Certwire\journal"
call :save 18-rights-state icacls "%ProgramData%\Certwire\state"
call :save 19-rights-config icacls "%ProgramData%\Certwire\config"
call :save 20-event-log-certwire wevtutil qe Application /q:"*[System[Provider[@Name='Certwire']]]" /f:text /c:200 /rd:true
call :save 21-event-log-ca wevtutil qe Application /q:"*[System[Provider[@Name='Microsoft-Windows-CertificationAuthority']]]" /f:text /c:100 /rd:true
call :save 22-event-log-services wevtutil qe System /q:"*[System[Provider[@Name='Service Control Manager']]]" /f:text /c:100 /rd:true
call :save 23-clock w32tm /query /status
call :save 24-files dir /s /q "%ProgramFiles%\Certwire"
call :save 25-data dir /s /q "%ProgramData%\Certwire"
call :save 26-doctor-file certwire doctor --collect "%results%\doctor.zip"

echo The results are in "%results%". They name hosts and users; doctor.zip does not.
exit /b 0

:save
set "name=%1"
echo %name%
rem What follows the name is the command.
set "command=%*"
call set "command=%%command:*%name% =%%"
echo ^> %command% > "%results%\%name%.txt"
call %command% >> "%results%\%name%.txt" 2>&1
echo exit code %ERRORLEVEL% >> "%results%\%name%.txt"
exit /b 0
